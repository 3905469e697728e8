"""A source's own decision rule against scikit-learn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scoring_cases import predictions, take
from sklearn.metrics import accuracy_score, f1_score

from benchmark.records.scores import RuleScores
from benchmark.scoring.by_rule import by_rule


@pytest.mark.parametrize(("decision", "threshold"), [(0.9, 0.9), (0.5, 0.5), ("argmax", 0.5)])
def test_a_threshold_decides_like_scikit_learn(decision, threshold):
    given = predictions("multilabel", findings=3)
    test = given.part("test")
    found = by_rule(given, decision)["test"]
    called = test.probabilities >= threshold
    expected = f1_score(test.targets, called, average="macro", zero_division=0)
    assert found.f1 == pytest.approx(expected)
    assert found.accuracy == pytest.approx((test.targets == called).mean())


def test_exclusive_findings_take_the_largest_probability():
    given = predictions("multiclass", findings=4)
    test = given.part("test")
    truth, called = test.targets.argmax(1), test.probabilities.argmax(1)
    found = by_rule(given, "argmax")["test"]
    assert found.accuracy == pytest.approx(accuracy_score(truth, called))
    assert found.f1 == pytest.approx(f1_score(truth, called, average="macro", labels=range(4)))


def test_images_without_a_label_count_neither_way():
    given = predictions("binary", findings=1)
    odd = np.arange(1, len(given.split), 2)
    half = given.targets.copy()
    half[::2] = np.nan
    assert by_rule(replace(given, targets=half), 0.5) == by_rule(take(given, odd), 0.5)
    nothing = replace(given, targets=np.full_like(half, np.nan))
    assert by_rule(nothing, 0.5)["test"] == RuleScores(accuracy=None, f1=None)
