"""Families: which configurations of a suite are compared with each other. Imports no TensorFlow.

A suite file says ``families = ["models", "resolutions"]``: models within the rest, then sizes
within the rest. Within a family everything but the named axis is the same throughout. It is
about tables alone and changes no spec.
"""

from __future__ import annotations

from typing import Any

from benchmark.errors import UnknownName, UserError
from benchmark.spec import Spec

VARIED: dict[str, tuple[str, ...]] = {
    "models": ("model",),
    "resolutions": ("resolution",),
    "preprocessing": ("preprocessing",),
    "normalisation": ("normalisation",),
    "imbalance": ("imbalance",),
    "scheme": ("scheme", "weights"),  # a scheme begins from weights of its own
    "weights": ("weights",),
    "augmentation": ("augmentation",),
}
"""Axis of a suite file -> the fields of a spec that differ within its families."""
DEFAULT = ("models",)
"""Of a suite that says nothing."""
_FIELDS = ("model", "resolution", "preprocessing", "normalisation", "imbalance", "scheme",
           "weights", "augmentation", "precision")  # fmt: skip
Fixed = tuple[tuple[str, str], ...]
"""Names and values of what is the same in all of a family."""


def read_families(where: object, given: Any) -> tuple[str, ...]:
    """The ``families`` of a suite file: axes, of which the first gives the table's letters.

    Args:
        where: the file, for messages.

    Raises:
        UnknownName: an axis within which nothing can be compared.
        UserError: no list of axes, or one of them twice.
    """
    if not isinstance(given, list) or not given or not all(isinstance(a, str) for a in given):
        raise UserError(f'{where}: families must be a list of axes: families = ["models"]')
    for axis in given:
        if axis not in VARIED:
            raise UnknownName(f"axis in families of {where}", axis, VARIED)
    if len(set(given)) < len(given):
        raise UserError(f"{where}: families names an axis twice")
    return tuple(given)


def fixed(spec: Spec, axis: str) -> Fixed:
    """What a configuration shares with all others of its family; what it has not is left out.

    A vote, of which no network of its own computes, has no precision, and fits to any.
    """
    values = {name: str(getattr(spec, name)) for name in _FIELDS}
    values["recipe"] = str(spec.recipe.get("name", "")) if spec.recipe else ""
    if spec.recipe and not values["recipe"]:
        values["recipe"] = "unnamed"
    return tuple((k, v) for k, v in values.items() if v and k not in VARIED[axis])


def is_baseline(spec: Spec) -> bool:
    """Whether it sees no image, so that it stands beside families and in none of them."""
    return not spec.resolution and spec.kind != "external"
