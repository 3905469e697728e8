"""A finding that stands behind all others of a mean."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from benchmark.scoring.implied import implied_finding
from tests.report.made_rows import predictions, protocol

NAMES = ("cough", "fever", "flu")
TEST = predictions(protocol(findings=NAMES), 1.0, 0, "multilabel").part("test")
WITH_FLU = np.column_stack([TEST.targets[:, :2], TEST.targets[:, :2].max(axis=1)])


def test_it_is_found_with_what_its_label_alone_would_give():
    found = implied_finding(replace(TEST, targets=WITH_FLU), NAMES)
    by_hand = np.mean([roc_auc_score(column, WITH_FLU[:, 2]) for column in WITH_FLU.T])
    assert (found.finding, found.auc) == ("flu", pytest.approx(by_hand))


@pytest.mark.parametrize(
    ("targets", "names"),
    [(TEST.targets, NAMES), (WITH_FLU, NAMES[:2]), (WITH_FLU, NAMES[2:]), (0 * WITH_FLU, NAMES)],
    ids=["independent", "not in the mean", "alone", "no positive image"],
)
def test_elsewhere_there_is_none(targets, names):
    assert implied_finding(replace(TEST, targets=targets), names) is None
