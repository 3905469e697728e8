"""The exact macro AUC of bare arrays, for early stopping."""

from __future__ import annotations

import numpy as np

from benchmark.scoring.metrics import Sample, auc, mean_of_defined


def macro_auc(targets: np.ndarray, scores: np.ndarray) -> float | None:
    """Mean of the findings' exact AUCs.

    Args:
        targets: (N, F), 0 or 1, NaN where unlabelled.
        scores: (N, F), higher means the finding is more likely.

    Returns:
        The mean over the findings that have both a positive and a negative labelled image; None
        where there is none. An absent finding is left out, not averaged in as 0.
    """
    values = []
    for truth, score in zip(np.asarray(targets).T, np.asarray(scores, np.float64).T, strict=True):
        known = ~np.isnan(truth)
        truth, score = truth[known] > 0, score[known]
        values.append(auc(Sample(truth, score, score, truth)))
    return mean_of_defined(values)
