"""A loss weighted against imbalance."""

from __future__ import annotations

import numpy as np

from benchmark.training.imbalance import Policy

CARD = {
    "title": "Weighted loss",
    "description": "Positives and negatives of each finding weighed by the frequency of the other"
    " among the labelled; exclusive classes by their inverse frequency.",
    "version": 1,
}


def policy() -> Policy:
    """Labels are weighed by how rare they are."""
    return Policy(weigh=label_weights)


def label_weights(targets: np.ndarray, exclusive: bool) -> np.ndarray:
    """Weights against imbalance, float64 (2, F): of absent and of present findings.

    Independent findings: the frequency of the opposite label among the labelled, so that positives
    and negatives of a finding weigh the same in sum (system S4; CheXNet, Rajpurkar et al. 2017,
    arXiv:1711.05225). Exclusive ones: N / (F n) for a class of n of the N labelled images, which
    is 1 on average over these; what is absent has no weight of its own there.
    """
    if exclusive:
        targets = targets[(targets >= 0).all(axis=1)]
    present = (targets == 1).sum(axis=0)
    if exclusive:
        weights = len(targets) / (targets.shape[1] * np.maximum(present, 1))
        return np.stack([np.zeros_like(weights), weights])
    frequency = present / np.maximum((targets >= 0).sum(axis=0), 1)
    return np.stack([frequency, 1 - frequency])
