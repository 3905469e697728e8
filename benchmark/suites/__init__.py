"""Suites: named matrices, one TOML file each, and the loader that turns them into cells."""

from benchmark.suites.cell import Cell, parse_filter
from benchmark.suites.suite import Suite, load_suite, suites

__all__ = ["Cell", "Suite", "load_suite", "parse_filter", "suites"]
