"""Rows and prediction files on disk: schema, atomic storage, provenance."""
