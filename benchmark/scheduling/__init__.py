"""Carrying out a plan: which spec runs where and when, and what is noted of how it went."""
