"""Carrying out a plan: workers, locks, limits, and what is noted of how it went."""
