"""The axes of a matrix: what their values are, which are usual, and which there are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmark.data.augmentation import AXIS as AUGMENTATIONS
from benchmark.data.preprocessing import AXIS as PREPROCESSING
from benchmark.errors import UnknownName, UserError
from benchmark.models import NORMALISATIONS
from benchmark.training.imbalance import AXIS as IMBALANCE
from benchmark.training.weights import check_scheme, check_weights

AXES = {
    "datasets": str,
    "models": str,
    "resolutions": int,
    "preprocessing": str,
    "normalisation": str,
    "imbalance": str,
    "scheme": str,
    "weights": str,
    "augmentation": str,
    "seeds": int,
}
IMAGE_AXES = tuple(axis for axis in AXES if axis not in ("datasets", "models", "seeds"))
BLOCK_AXES = (*IMAGE_AXES, "seeds")
"""What a model may have values of its own of."""
DEFAULTS: dict[str, list] = {
    "preprocessing": ["raw"],
    "normalisation": ["unit"],
    "imbalance": ["none"],
    "scheme": ["scratch"],
    "weights": [""],  # that which the scheme usually begins from
    "augmentation": ["none"],
    "seeds": [0, 1, 2],
}
LARGEST_SEED = 2**32 - 1
"""Of what NumPy and Keras take as a seed."""
LARGEST_SIDE = 4096
"""No X-ray is larger, and a mistyped size must not be planned as if it could be run."""


def check_seed(seed: int) -> None:
    """Raise a UserError for a seed that random number generators do not take."""
    if not 0 <= seed <= LARGEST_SEED:
        raise UserError(f"a seed is a whole number from 0 to {LARGEST_SEED}, not {seed}")


def check_resolution(side: int) -> None:
    """Raise a UserError for an image side that is none, in px."""
    if not isinstance(side, int) or not 1 <= side <= LARGEST_SIDE:
        raise UserError(f"a resolution is from 1 to {LARGEST_SIDE} px, not {side!r}")


def check_normalisation(name: str) -> None:
    """Raise an UnknownName for a normalisation that there is not."""
    if name not in NORMALISATIONS:
        raise UnknownName("normalisation", name, NORMALISATIONS)


CHECKS: dict[str, Callable[[Any], Any]] = {
    "resolutions": check_resolution,
    "seeds": check_seed,
    "normalisation": check_normalisation,
    "preprocessing": PREPROCESSING.find,
    "imbalance": IMBALANCE.find,
    "scheme": check_scheme,
    "weights": check_weights,
    "augmentation": AUGMENTATIONS.find,
}
"""Axes whose values are known here: another one must not run as if it meant something."""
