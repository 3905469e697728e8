"""Whether runs that differ in their seed alone may be averaged. Imports no TensorFlow.

They may where they are of one model, as far as is known, and each of a training of its own. `score`
asks before it enters predictions, and a leaderboard asks of what is in a results folder, however it
came there; both say the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from benchmark.records.predictions import Predictions
from benchmark.records.row import Row

TOLERANCE = 1e-5
"""Of logits, absolute and relative: what is nearer on all test images was not trained twice."""

KNOWN: dict[str, Callable[[Row], Any]] = {
    "reference": lambda row: row.model.reference,
    "parameters": lambda row: row.model.parameters,
    "splits": lambda row: ", ".join(row.external.splits) if row.external else "",
}
"""What all seeds of a model made elsewhere have in common; without validation, decisions are
others. That rows made here are of one model, the versions of their code say."""


def why_not_averaged(
    rows: Sequence[Row], predictions: Sequence[str], alike: Sequence[int] | None
) -> str:
    """Why a mean over seeds would be none; empty where it is one.

    Args:
        rows: of one configuration, which differ in their seed.
        predictions: of each the SHA-256 of its prediction file, which holds no seed.
        alike: places of two that :func:`first_alike` found, where it was asked.
    """
    alike = alike or _copied(predictions)
    copied = same_predictions(rows[alike[0]], rows[alike[1]]) if alike else ""
    return another_model(rows) or several_without_chance(rows) or copied


def another_model(rows: Sequence[Row]) -> str:
    """In what rows made elsewhere are not of one model; empty where nothing is known of that."""
    first, *others = rows
    for other in others:
        for what, of in KNOWN.items():
            if other.external and of(first) != of(other):
                return (
                    f"seeds {first.spec.seed} and {other.spec.seed} differ in their {what} "
                    f"({of(first)!r}, {of(other)!r}): seeds are averaged, so it is the same for "
                    "all of one model"
                )
    return ""


def several_without_chance(rows: Sequence[Row]) -> str:
    """That several seeds are of a model that no seed changes; empty where they are not."""
    if len(rows) < 2 or not any(row.model.deterministic for row in rows):
        return ""
    seeds = ", ".join(str(row.spec.seed) for row in rows)
    return (
        f"said to be deterministic, with several seeds ({seeds}): without chance there is one run"
    )


def same_predictions(one: Row, other: Row) -> str:
    """What is said of two seeds with the same predictions."""
    return (
        f"seeds {one.spec.seed} and {other.spec.seed} have the same predictions: they are of one "
        "training, or no seed changes this model"
    )


def first_alike(tests: Sequence[Predictions]) -> tuple[int, int] | None:
    """Places of the first two that say the same of the same test images, but for rounding.

    Args:
        tests: of each seed, the images in the same order.
    """
    pairs = combinations(enumerate(tests), 2)
    return next(((i, j) for (i, a), (j, b) in pairs if _same(a.logits, b.logits)), None)


def _same(first: np.ndarray, second: np.ndarray) -> bool:
    return first.shape == second.shape and np.allclose(first, second, TOLERANCE, TOLERANCE)


def _copied(predictions: Sequence[str]) -> tuple[int, int] | None:
    pairs = combinations(enumerate(predictions), 2)
    return next(((i, j) for (i, one), (j, two) in pairs if one == two), None)
