"""k-nearest neighbours on features. Imports no deep-learning framework."""

from __future__ import annotations

import numpy as np
from sklearn.neighbors import NearestNeighbors

from benchmark.task import Task
from benchmark.training.logistic import Labelled

K = 11
LEAST = 1e-6
"""Shares of 0 and 1, where all neighbours agree, end here, so that their logits are finite."""


def neighbour_logits(train: Labelled, features: np.ndarray, task: Task) -> np.ndarray:
    """What the nearest training images say of others: float32 logits (M, F) of features (M, D).

    The :data:`K` nearest by Euclidean distance vote, each with the inverse of its distance; one at
    distance zero outvotes all that are not. Independent findings are voted on by the nearest of the
    images that are labelled for it, exclusive ones by the nearest of those that are labelled whole.
    Where there are none, all shares are equal.
    """
    known = train.targets >= 0
    if task.exclusive:
        known[:] = known.all(axis=1, keepdims=True)
    shares = np.full((len(features), task.n_outputs), 0.5)
    masks, mask_of = np.unique(known, axis=1, return_inverse=True)
    for number, mask in enumerate(masks.T):
        if mask.any():
            findings = mask_of.ravel() == number
            shares[:, findings] = _shares(train, mask, features)[:, findings]
    shares = np.clip(shares, LEAST, 1 - LEAST)
    logits = np.log(shares) if task.exclusive else np.log(shares / (1 - shares))
    return logits.astype(np.float32)


def _shares(train: Labelled, mask: np.ndarray, features: np.ndarray) -> np.ndarray:
    """Votes for each finding, (M, F), of the images under a mask (N,)."""
    targets = train.targets[mask]
    index = NearestNeighbors(n_neighbors=min(K, len(targets)), algorithm="brute")
    index.fit(train.features if mask.all() else train.features[mask])
    distances, nearest = index.kneighbors(features)
    votes = _votes(distances)
    return sum(votes[:, [k]] * targets[nearest[:, k]] for k in range(votes.shape[1]))


def _votes(distances: np.ndarray) -> np.ndarray:
    """What each neighbour counts for, (M, K), together one."""
    same = distances == 0
    with np.errstate(divide="ignore"):
        weights = np.where(same.any(axis=1, keepdims=True), same, 1 / distances)
    return weights / weights.sum(axis=1, keepdims=True)
