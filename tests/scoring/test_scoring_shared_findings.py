"""Predictions under common names of findings, against probabilities added by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, softmax
from scoring_cases import predictions

from benchmark.scoring.shared_findings import (
    map_to_shared_findings,
    shared_logits,
    shared_targets,
)

FINDINGS = ("finding_0", "finding_1", "finding_2")


def test_probabilities_of_exclusive_findings_add_up():
    source = predictions("multiclass", 3)
    got = map_to_shared_findings(source, {"ill": FINDINGS[1:], "well": FINDINGS[:1]})
    expected = softmax(source.logits.astype(float), axis=1)
    np.testing.assert_allclose(got.probabilities[:, 0], expected[:, 1:].sum(1), rtol=1e-6)
    np.testing.assert_allclose(got.probabilities.sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_array_equal(got.targets[:, 0], source.targets[:, 1:].max(axis=1))
    assert (got.kind, got.findings) == ("multilabel", ("ill", "well"))


def test_the_largest_of_independent_findings_speaks_for_the_group():
    source = predictions("multilabel", 3)
    got = map_to_shared_findings(source, {"any": (FINDINGS[0], FINDINGS[2])})
    expected = expit(source.logits[:, [0, 2]].astype(float)).max(axis=1)
    np.testing.assert_allclose(got.probabilities[:, 0], expected, rtol=1e-6)
    assert got.kind == "binary"


def test_certainty_does_not_overflow():
    logits = np.array([[900.0, -900.0, 0.0]])
    got = shared_logits(logits, FINDINGS, True, {"x": ("finding_0",), "y": ("finding_1",)})
    assert got.tolist() == [[900.0, -1800.0]]


@pytest.mark.parametrize(
    ("of_group", "expected"),
    [((1, 0), 1), ((1, np.nan), 1), ((0, 0), 0), ((0, np.nan), np.nan), ((np.nan,) * 2, np.nan)],
)
def test_a_group_is_absent_only_where_every_label_says_so(of_group, expected):
    got = shared_targets(np.array([of_group]), ("a", "b"), {"ab": ("a", "b")})
    np.testing.assert_array_equal(got, [[expected]])
