"""Suites: named matrices, one TOML file each, and the loader that turns them into specs."""

from benchmark.suites.filters import parse_filter
from benchmark.suites.suite import Suite, load_suite, suites

__all__ = ["Suite", "load_suite", "parse_filter", "suites"]
