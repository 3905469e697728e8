"""Source system S0's copies: every positive six times."""

from __future__ import annotations

import numpy as np

from benchmark.training.imbalance import FLIP_LR, FLIP_UD, ROT90, ROT180, ROT270, Copies, Policy
from benchmark.training.imbalance._copies import joined

CARD = {
    "title": "Copies of S0",
    "description": "Every positive six times: itself, turned by 90, 180 and 270 degrees, flipped"
    " left-right, flipped up-down.",
    "version": 1,
    "tasks": ["binary"],
}

TURNS = [ROT90, ROT180, ROT270, FLIP_LR, FLIP_UD]


def policy() -> Policy:
    """Positives are there six times."""
    return Policy(copy=six_fold)


def six_fold(targets: np.ndarray) -> Copies:
    """Every image, and every positive under five transforms."""
    positives = np.flatnonzero(targets[:, 0] == 1)
    rows, codes = np.repeat(positives, len(TURNS)), np.tile(TURNS, len(positives))
    return joined(len(targets), [rows], [codes])
