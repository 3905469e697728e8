"""What protocols may know: data, records, constants of the scoring, the copies of a policy."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from benchmark import protocols

ALLOWED = (
    "benchmark.data",
    "benchmark.errors",
    "benchmark.hashing",
    "benchmark.protocols",
    "benchmark.records",
    "benchmark.scoring",
    "benchmark.spec",
    "benchmark.training.imbalance",
)
FILES = sorted(Path(protocols.__file__).parent.glob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_protocol_imports_nothing_from_above(path):
    tree = ast.walk(ast.parse(path.read_text()))
    named = {node.module for node in tree if isinstance(node, ast.ImportFrom)}
    ours = {name for name in named if name.startswith("benchmark.")}
    assert {name for name in ours if not name.startswith(ALLOWED)} == set()
