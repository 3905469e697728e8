"""Suites: named matrices, one TOML file each, and the loader that turns them into specs."""

from benchmark.suites.asked import matrix_suite, suite_text
from benchmark.suites.files import load_suite, suites
from benchmark.suites.filters import parse_filter
from benchmark.suites.parsing import parse_suite
from benchmark.suites.suite import Suite

__all__ = [
    "Suite",
    "load_suite",
    "matrix_suite",
    "parse_filter",
    "parse_suite",
    "suite_text",
    "suites",
]
