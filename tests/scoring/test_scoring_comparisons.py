"""Comparisons are computed once for each pair of prediction files."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmark.scoring import comparisons
from benchmark.scoring.comparisons import StoredComparisons
from benchmark.scoring.ranking import Entry, compare


def entry(name: str, value: float, seed: int) -> Entry:
    rng = np.random.default_rng(seed)
    seeds = [{"value": value + i / 500, "replicates": value + rng.normal(size=50)} for i in (0, 1)]
    return Entry(name, seeds, predictions=[f"{name}{i}" for i in (0, 1)])


@pytest.fixture
def counted(monkeypatch):
    """Pairs that were really computed."""
    calls = []

    def counting(first, second):
        calls.append((first.config_id, second.config_id))
        return compare(first, second)

    monkeypatch.setattr(comparisons, "compare", counting)
    return calls


def ask(path, *pairs):
    stored = StoredComparisons(path)
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
    edited = replace(b, predictions=["b0", "other"])
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
