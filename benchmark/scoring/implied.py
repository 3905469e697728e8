"""Whether one finding stands behind all others, so that their mean AUC is mostly its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from benchmark.records.predictions import Predictions


@dataclass(frozen=True)
class Implied:
    """A finding that every image with another finding has, too.

    Attributes:
        finding: its name.
        auc: mean AUC over the findings, itself among them, where its label is the score for each.
    """

    finding: str
    auc: float


def implied_finding(test: Predictions, findings: Sequence[str]) -> Implied | None:
    """Such a finding of the test images; None where there is none.

    Args:
        test: of any model: only the targets count.
        findings: those that a mean is of.
    """
    targets = test.targets[:, [test.findings.index(finding) for finding in findings]]
    positive = targets[~np.isnan(targets).any(axis=1)] == 1
    for label, finding in zip(positive.T, findings, strict=True):
        ill = positive.any(axis=1)
        if len(findings) > 1 and ill.any() and not ill.all() and (label == ill).all():
            return Implied(finding, float(np.mean([_auc(of, label) for of in positive.T])))
    return None


def _auc(positive: np.ndarray, label: np.ndarray) -> float:
    """Of a yes or no: the mean of its sensitivity and its specificity."""
    return float(label[positive].mean() + (~label[~positive]).mean()) / 2
