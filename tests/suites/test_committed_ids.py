"""Cells that were run keep their ids, whatever a cell has learnt to say since."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmark.suites.cell import Cell

ROWS = sorted((Path(__file__).parents[2] / "results" / "rows").glob("*.json"))


@pytest.mark.parametrize("path", ROWS, ids=lambda path: path.stem)
def test_a_committed_row_has_the_id_of_its_cell(path):
    row = json.loads(path.read_bytes())
    cell = Cell(**row["cell"])
    assert cell.cell_id == row["cell_id"] == path.stem
    assert cell.config_id == row["config_id"]


def test_there_are_committed_rows():
    assert len(ROWS) >= 32
