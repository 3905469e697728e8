"""Every class drawn equally often (class-aware sampling, Shen et al. 2016, arXiv:1512.05830)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmark.training.imbalance import Policy
from benchmark.training.imbalance._groups import groups_of

CARD = {
    "title": "Balanced sampling",
    "description": "Every epoch draws equally often from the images of each finding (each class)"
    " and from those with none; as many draws as images.",
    "version": 1,
}


def policy() -> Policy:
    """An epoch draws each class equally often."""
    return Policy(draw=draw)


def draw(targets: np.ndarray, seed: int) -> Callable[[int], np.ndarray]:
    """A function of the epoch: the int (N,) rows that it draws, of targets (N, F)."""
    groups = groups_of(targets)
    return lambda epoch: balanced_order(groups, len(targets), seed, epoch)


def balanced_order(groups: list[np.ndarray], n: int, seed: int, epoch: int) -> np.ndarray:
    """Int (n,) rows for one epoch, as many from each group as from any other (give or take one).

    Within a group every row is drawn equally often (give or take one); which ones are drawn once
    more changes from epoch to epoch.
    """
    random = np.random.Generator(np.random.Philox(np.random.SeedSequence((seed, epoch))))
    shares = np.full(len(groups), n // len(groups))
    shares[random.permutation(len(groups))[: n % len(groups)]] += 1
    drawn = [
        np.concatenate([random.permutation(group) for _ in range(-(-share // len(group)))])[:share]
        for group, share in zip(groups, shares, strict=True)
        if share
    ]
    return random.permutation(np.concatenate(drawn))
