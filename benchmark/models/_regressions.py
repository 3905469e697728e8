"""Logits of findings from numbers that are known of an image, by one regression each."""

from __future__ import annotations

import numpy as np


def fit_logits(x, targets, labelled, task, regression):
    """A function of numbers (M, C), float64, that gives logits (M, F), float32.

    One regression a finding, or one over all findings where they are exclusive.

    Args:
        x: (N, C) of the training images.
        targets, labelled: (N, F).
        task: the findings.
        regression: makes a classifier of scikit-learn's kind, with log-odds.
    """
    if task.exclusive:
        outputs = [_share_logits(x, targets, labelled, regression)]
    else:
        outputs = [
            _finding_logit(x, target, known, regression)
            for target, known in zip(targets.T, labelled.T, strict=True)
        ]
    return lambda x: np.concatenate([output(x) for output in outputs], axis=1).astype(np.float32)


def _finding_logit(x, target, known, regression):
    """Log-odds of one finding; a finding without both answers gets smoothed prevalence."""
    target, x = target[known].astype(int), x[known]
    if len(np.unique(target)) < 2:
        odds = (target.sum() + 0.5) / (len(target) - target.sum() + 0.5)
        return lambda x: np.full((len(x), 1), np.log(odds))
    model = regression().fit(x, target)
    return lambda x: model.decision_function(x)[:, None]


def _share_logits(x, targets, labelled, regression):
    """Log of each exclusive finding's probability; one never seen gets that of half a case."""
    known = labelled.all(axis=1)
    target = targets[known].argmax(axis=1)
    seen = np.unique(target)
    unseen = -np.log(2 * (len(target) + 1))
    model = regression().fit(x[known], target) if len(seen) > 1 else None

    def output(x):
        logits = np.full((len(x), targets.shape[1]), unseen)
        logits[:, seen] = model.predict_log_proba(x) if model else 0.0
        return logits

    return output
