"""Chest X-rays with masks of the lung fields, five sources (see README.md)."""
