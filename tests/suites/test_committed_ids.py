"""Specs that were run keep their ids, whatever a spec has learnt to say since.

``committed_ids.txt`` has a line for every committed row, its spec id and its config id, sorted. A
row that is added adds a line; no line ever changes or goes.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmark.spec import Spec
from tests.suites.committed import committed_results

RESULTS = committed_results()
ROWS = sorted((RESULTS.folder / "rows").glob("*.json"))
LIST = Path(__file__).with_name("committed_ids.txt")


def listed() -> list[str]:
    return LIST.read_text().splitlines()


@pytest.mark.parametrize("path", ROWS, ids=lambda path: path.stem)
def test_a_committed_row_has_the_ids_of_its_spec(path):
    row = RESULTS.read_row(path.stem)
    assert row.spec.spec_id == row.spec_id == path.stem
    assert row.spec.config_id == row.config_id


@pytest.mark.parametrize("path", ROWS, ids=lambda path: path.stem)
def test_a_committed_spec_is_said_in_the_same_words_today(path):
    said = json.loads(path.read_bytes())["spec"]
    assert Spec.from_dict(said).as_dict() == said


@pytest.mark.parametrize("path", ROWS, ids=lambda path: path.stem)
def test_what_a_committed_row_requires_is_committed_too(path):
    for required in RESULTS.read_row(path.stem).spec.requires.values():
        assert f"{required.spec_id} {required.config_id}" in listed()


def test_the_ids_of_the_committed_rows_are_those_of_the_list():
    assert listed() == [f"{row.spec_id} {row.config_id}" for row in RESULTS.rows()]


def test_the_list_is_sorted_and_names_no_row_twice():
    ids = [line.split()[0] for line in listed()]
    assert ids == sorted(set(ids))
    assert len(ids) >= 89
