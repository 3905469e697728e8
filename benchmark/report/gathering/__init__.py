"""Rows and scores -> configurations -> one table a protocol, and what was told apart in it."""
