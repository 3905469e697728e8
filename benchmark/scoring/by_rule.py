"""A source's own way to decide, applied to its predictions: fixed beforehand, never tuned."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmark.records.scores import RuleScores
from benchmark.scoring.thresholds import DEFAULT_THRESHOLD, argmax_decisions

if TYPE_CHECKING:
    from benchmark.records.predictions import Predictions

ARGMAX = "argmax"


def by_rule(predictions: Predictions, decision: str | float) -> dict[str, RuleScores]:
    """Accuracy and F1 of each split under a fixed rule, as sources report them.

    Args:
        predictions: of any splits.
        decision: ``"argmax"`` (of a binary task's two classes: a probability of at least 0.5), or
            the probability from which a finding counts as present.

    Returns:
        By split ``accuracy`` (of exclusive findings: images whose class is right; else the mean
        over findings) and ``f1`` (mean over findings), both over labelled images; None where
        nothing is labelled.
    """
    exclusive = predictions.kind == "multiclass"
    if exclusive:
        decided = argmax_decisions(predictions.probabilities)
    else:
        threshold = DEFAULT_THRESHOLD if decision == ARGMAX else float(decision)
        decided = predictions.probabilities >= threshold
    return {
        str(split): _numbers(predictions.targets[here], decided[here], exclusive)
        for split in np.unique(predictions.split)
        if (here := predictions.split == split).any()
    }


def _numbers(targets: np.ndarray, decided: np.ndarray, exclusive: bool) -> RuleScores:
    pairs = [
        (targets[known, i] == 1, decided[known, i])
        for i in range(targets.shape[1])
        if (known := ~np.isnan(targets[:, i])).any()
    ]
    if not pairs:
        return RuleScores(accuracy=None, f1=None)
    if exclusive:
        labelled = ~np.isnan(targets).any(axis=1)
        accuracy = (targets[labelled].argmax(1) == decided[labelled].argmax(1)).mean()
    else:
        accuracy = np.mean([(truth == called).mean() for truth, called in pairs])
    f1 = float(np.mean([_f1(*pair) for pair in pairs]))
    return RuleScores(accuracy=float(accuracy), f1=f1)


def _f1(truth: np.ndarray, called: np.ndarray) -> float:
    """F1, 0 where there is neither a positive image nor a positive decision."""
    either = truth.sum() + called.sum()
    return 2 * (truth & called).sum() / either if either else 0.0
