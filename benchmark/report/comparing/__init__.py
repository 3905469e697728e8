"""Rows and configurations that a person names, and two of them held against each other."""
