"""Copies of images: every image as it is, and then more of the rare ones, turned exactly."""

from __future__ import annotations

import numpy as np

from benchmark.training.imbalance import SAME, Copies
from benchmark.training.imbalance._groups import groups_of


def evened_out(targets: np.ndarray, turns: tuple[int, ...]) -> Copies:
    """Every image, and copies of the rarer classes until all have as many as the largest.

    A class is gone through in the order of the set, once under each transform of ``turns``, and
    then over again, until it is large enough.
    """
    groups = groups_of(targets)
    most = max(map(len, groups))
    extras = [np.arange(most - len(group)) for group in groups]
    rows = [group[extra % len(group)] for group, extra in zip(groups, extras, strict=True)]
    rounds = [extra // len(group) for group, extra in zip(groups, extras, strict=True)]
    return joined(len(targets), rows, [np.take(turns, r, mode="wrap") for r in rounds])


def joined(n: int, rows: list[np.ndarray], codes: list[np.ndarray]) -> Copies:
    """All n images as they are, and then these."""
    return np.concatenate([np.arange(n), *rows]), np.concatenate([np.full(n, SAME), *codes])
