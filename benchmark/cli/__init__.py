"""The command line. No logic here; whatever is slow to import is imported inside the commands."""

from benchmark.cli import data, machine, networks, own, results, running
from benchmark.cli.group import main

__all__ = ["data", "machine", "main", "networks", "own", "results", "running"]
