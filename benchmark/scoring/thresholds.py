"""Operating points: chosen on the validation split, then frozen."""

from __future__ import annotations

import numpy as np

from benchmark.scoring.metrics import Curve

DEFAULT_THRESHOLD = 0.5


def best_f1_threshold(targets: np.ndarray, probabilities: np.ndarray) -> float | None:
    """The threshold of maximum F1 under the rule "positive where probability >= threshold".

    Candidates are the distinct probabilities given: any other threshold decides like one of them
    or calls nothing positive. Of several with the same F1 the lowest is taken.

    Args:
        targets: (N,) bool.
        probabilities: (N,) in [0, 1].

    Returns:
        One of ``probabilities``, or None without a positive image (every F1 is then 0).
    """
    if not targets.any():
        return None
    curve = Curve.of(targets, np.asarray(probabilities, np.float64))
    called = curve.true_positives + curve.false_positives
    f1 = 2 * curve.true_positives / (curve.positives + called)
    return float(curve.thresholds[np.flatnonzero(f1 == f1.max())[-1]])


def argmax_decisions(probabilities: np.ndarray) -> np.ndarray:
    """(N, F) bool with one True a row, at the largest probability, ties to the first finding."""
    return np.eye(probabilities.shape[1], dtype=bool)[probabilities.argmax(axis=1)]
