"""Executors: where specs are run. One file each."""
