"""Source system S3's copies, until there are as many of one class as of the other.

Horizontal flip, vertical flip, both (which is half a turn); then, where the rarer class is below a
fifth of all, over again from the image as it is.
"""

from __future__ import annotations

from functools import partial

from benchmark.training.imbalance import FLIP_LR, FLIP_UD, ROT180, SAME, Policy
from benchmark.training.imbalance._copies import evened_out

CARD = {
    "title": "Copies of S3",
    "description": "The rarer class flipped left-right, up-down and both, until 50/50.",
    "version": 1,
    "tasks": ["binary"],
}


def policy() -> Policy:
    """The rarer class is copied until it is as large as the other."""
    return Policy(copy=partial(evened_out, turns=(FLIP_LR, FLIP_UD, ROT180, SAME)))
