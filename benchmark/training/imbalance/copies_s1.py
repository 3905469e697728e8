"""Source system S1's copies, which even the classes out.

S1 only says that augmented copies do so. Our reading: exact ones, the mirror image first, and each
of the five before an image comes again as it is.
"""

from __future__ import annotations

from functools import partial

from benchmark.training.imbalance import (
    FLIP_LR,
    FLIP_UD,
    ROT90,
    ROT180,
    ROT270,
    SAME,
    Policy,
)
from benchmark.training.imbalance._copies import evened_out

CARD = {
    "title": "Copies of S1",
    "description": "Classes evened out by copies: flipped, then turned, then over again (our"
    " reading: the source says no more).",
    "version": 1,
    "tasks": ["binary", "multiclass"],
}


def policy() -> Policy:
    """Rarer classes are copied until all are as large as the largest."""
    turns = (FLIP_LR, FLIP_UD, ROT90, ROT180, ROT270, SAME)
    return Policy(copy=partial(evened_out, turns=turns))
