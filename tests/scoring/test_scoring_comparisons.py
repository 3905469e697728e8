"""Comparisons are computed once for each pair of prediction files."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.records.door import read_record
from benchmark.records.scores import StoredTable
from benchmark.scoring import comparisons
from benchmark.scoring.comparisons import StoredComparisons
from benchmark.scoring.families import come_first
from benchmark.scoring.influence import Influence
from benchmark.scoring.ranking import Entry, Seed, compare, mean_difference
from tests.records.rows import changed_by_hand, changed_bytes, resealed


def entry(name: str, value: float, seed: int) -> Entry:
    terms = np.random.default_rng(seed).normal(size=50) / 500
    seeds = [Seed(value + i / 500, predictions=f"{name}{i}") for i in (0, 1)]
    return Entry(name, seeds, lambda: [Influence(each.value, terms) for each in seeds])


@pytest.fixture
def counted(monkeypatch):
    """Pairs that were really computed."""
    calls = []

    def counting(pairs):
        calls.extend((first.config_id, second.config_id) for first, second in pairs)
        return mean_difference(pairs)

    monkeypatch.setattr(comparisons, "mean_difference", counting)
    return calls


def ask(path, *pairs):
    stored = StoredComparisons(path, "x")
    answers = [stored.compare(*pair) for pair in pairs]
    stored.save()
    return answers


def test_a_comparison_is_computed_once_and_then_read(tmp_path, counted):
    path, pair = tmp_path / "table.json", (entry("a", 0.8, 1), entry("b", 0.7, 2))
    first = ask(path, pair)
    written = path.read_bytes()
    assert first == ask(path, pair) == [compare(*pair)]
    assert counted == [("a", "b")]
    assert path.read_bytes() == written


def test_another_prediction_file_is_compared_anew_and_the_old_one_forgotten(tmp_path, counted):
    path, (a, b) = tmp_path / "table.json", (entry("a", 0.8, 1), entry("b", 0.7, 2))
    ask(path, (a, b))
    edited = replace(b, seeds=[b.seeds[0], replace(b.seeds[1], predictions="other")])
    ask(path, (a, edited))
    assert counted == [("a", "b"), ("a", "b")]
    ask(path, (a, b))
    assert len(counted) == 3


def test_a_new_scorer_or_a_damaged_file_computes_anew(tmp_path, counted, monkeypatch):
    path, pair = tmp_path / "table.json", (entry("a", 0.8, 1), entry("b", 0.7, 2))
    ask(path, pair)
    monkeypatch.setattr(comparisons, "SCORER_VERSION", 10**6)
    ask(path, pair)
    path.write_text("{")
    ask(path, pair)
    assert len(counted) == 3


def test_an_interval_that_no_difference_can_have_is_computed_anew(tmp_path, counted):
    path, pair = tmp_path / "table.json", (entry("a", 0.8, 1), entry("b", 0.7, 2))
    first = ask(path, pair)

    def widen(values):
        for known in values["pairs"].values():
            known["interval"][1] = 1.2

    path.write_bytes(resealed(path.read_bytes(), widen))
    assert ask(path, pair) == first
    assert len(counted) == 2


PAIR = (entry("a", 0.8, 1), entry("b", 0.7, 2))
KEY = "cb3a9e6de6599ed2"


def test_the_file_is_a_record_under_the_same_keys_as_ever(tmp_path):
    (asked,) = ask(tmp_path / "table.json", PAIR)
    known = read_record(tmp_path / "table.json", StoredTable, "").pairs
    assert list(known) == [KEY]
    assert (known[KEY].difference, known[KEY].interval) == (asked.difference, asked.interval)


def test_who_comes_first_is_computed_once_for_a_family(tmp_path, monkeypatch):
    calls = []

    def counting(entries, seed_text):
        calls.append(seed_text)
        return come_first(entries, seed_text, 20)

    monkeypatch.setattr(comparisons, "come_first", counting)
    found = []
    for _ in range(2):
        stored = StoredComparisons(tmp_path / "table.json", "x")
        stored.compare(*PAIR)
        found.append(stored.come_first(PAIR))
        stored.save()
    assert calls == ["x"]
    assert found[0] == found[1] == come_first(PAIR, "x", 20)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("comparisons") / "table.json"


@pytest.fixture(scope="module")
def written(path):
    ask(path, PAIR)
    return path.read_bytes()


@settings(deadline=None)
@given(data=st.data())
def test_a_changed_file_changes_no_number(path, written, data):
    path.write_bytes(data.draw(changed_bytes(written) | changed_by_hand(written)))
    assert ask(path, PAIR) == [compare(*PAIR)]
    assert path.read_bytes().strip() == written.strip()


@pytest.mark.parametrize("value", ["0.1", None, [], {}])
def test_what_is_not_of_the_type_is_computed_anew_though_its_seal_is_right(path, written, value):
    path.write_bytes(resealed(written, lambda v: v["pairs"].update({KEY: value})))
    assert ask(path, PAIR) == [compare(*PAIR)]
    path.write_bytes(resealed(written, lambda v: v["pairs"][KEY].update(difference="0.1")))
    assert ask(path, PAIR) == [compare(*PAIR)]


def test_a_folder_that_cannot_be_written_to_stops_nobody(tmp_path):
    (tmp_path / "comparisons").write_text("in the way")
    assert ask(tmp_path / "comparisons" / "table.json", PAIR) == [compare(*PAIR)]


def test_where_nothing_is_asked_nothing_is_left(path, written):
    path.write_bytes(written)
    assert ask(path) == []
    assert not path.exists()
