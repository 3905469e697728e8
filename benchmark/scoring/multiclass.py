"""What exclusive findings need besides the one-against-the-rest view of `metrics`.

Targets are (N, F) one-hot, probabilities (N, F) with rows that sum to one; unlabelled images are
left out beforehand. Undefined values are NaN.
"""

from __future__ import annotations

import numpy as np

from benchmark.scoring.metrics import calibration_error, ratio
from benchmark.scoring.thresholds import argmax_decisions


def log_odds(logits: np.ndarray) -> np.ndarray:
    """Logit of each softmax probability, (N, F) float64: ranks as the exact probability would.

    The log-odds of one finding is its logit minus the log-sum-exp of the others, which does not
    saturate where a float32 probability is 0 or 1.
    """
    wide = np.asarray(logits, np.float64)
    others = [np.delete(wide, finding, axis=1) for finding in range(wide.shape[1])]
    return wide - np.stack([np.logaddexp.reduce(rest, axis=1) for rest in others], axis=1)


def confusion_matrix(targets: np.ndarray, decisions: np.ndarray) -> np.ndarray:
    """(F, F) number of images: a row for each true finding, a column for each decision."""
    return targets.T.astype(int) @ decisions.astype(int)


def summary(targets: np.ndarray, odds: np.ndarray, probabilities: np.ndarray) -> dict[str, float]:
    """The metrics that are defined over all findings at once, in place of a macro average.

    ``accuracy`` of the argmax; ``balanced_accuracy``, the mean sensitivity over the findings that
    have images (Brodersen et al. 2010); ``log_loss``, the cross-entropy in nats; ``mcc``, the R_K
    statistic (Gorodkin 2004); ``brier``, summed over findings (0 to 2, Brier 1950); ``ece`` of the
    largest probability (Guo et al. 2017).

    Args:
        targets: (N, F) one-hot.
        odds: (N, F), as of `log_odds`.
        probabilities: (N, F) in [0, 1].
    """
    decisions = argmax_decisions(probabilities)
    matrix = confusion_matrix(targets, decisions)
    n, hit = len(targets), (targets.astype(bool) & decisions).any(axis=1)
    return {
        "accuracy": ratio(int(hit.sum()), n),
        "balanced_accuracy": _mean_sensitivity(matrix),
        "log_loss": ratio(float(np.logaddexp(0, -odds[targets == 1]).sum()), n),
        "mcc": _r_k(matrix),
        "brier": ratio(float(((probabilities - targets) ** 2).sum()), n),
        "ece": calibration_error(probabilities.max(axis=1, initial=0), hit),
    }


def _mean_sensitivity(matrix: np.ndarray) -> float:
    images = matrix.sum(axis=1)
    there = images > 0
    return ratio(float((np.diag(matrix)[there] / images[there]).sum()), int(there.sum()))


def _r_k(matrix: np.ndarray) -> float:
    true, called, n = matrix.sum(axis=1), matrix.sum(axis=0), matrix.sum()
    spread_true, spread_called = float(n**2 - true @ true), float(n**2 - called @ called)
    if not spread_true:
        return float("nan")
    covariance = float(n * np.trace(matrix) - true @ called)
    return covariance / (spread_true * spread_called) ** 0.5 if spread_called else 0.0
