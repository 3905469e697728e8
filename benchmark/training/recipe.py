"""The training protocol of a suite, as plain values. Imports no Keras."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from benchmark.errors import UnknownName, UserError

OPTIMIZERS = ("adam", "adamw", "sgd")
SCHEDULES = ("constant", "cosine")
PRECISIONS = ("auto", "float32", "mixed_bfloat16", "mixed_float16")


@dataclass(frozen=True)
class Recipe:
    """How a model is trained.

    Attributes:
        version: raised when the training code changes what the same values mean.
        optimizer: ``"adam"``, ``"adamw"`` or ``"sgd"`` (momentum 0.9).
        learning_rate: the highest, reached after the warm-up.
        schedule: what follows the warm-up: ``"constant"``, or ``"cosine"`` to zero at the last
            step of the last epoch (Loshchilov and Hutter 2017, arXiv:1608.03983).
        warmup_steps: steps in which the rate rises linearly from zero. Without it networks that
            have no batch normalisation, GoogLeNet above all, overshoot at the start.
        batch_size: images per step; what is left of an epoch is dropped.
        epochs: the most passes over the training split.
        patience: epochs without a better exact macro AUC on validation before training stops. The
            weights of the best epoch are kept.
        precision: Keras dtype policy, or ``"auto"`` for the one that suits model and hardware; the
            cell says which it was.
    """

    version: int = 1
    optimizer: str = "adam"
    learning_rate: float = 1e-3
    schedule: str = "cosine"
    warmup_steps: int = 100
    batch_size: int = 32
    epochs: int = 10
    patience: int = 3
    precision: str = "auto"

    def __post_init__(self):
        choices = {"optimizer": OPTIMIZERS, "schedule": SCHEDULES, "precision": PRECISIONS}
        for name, known in choices.items():
            if getattr(self, name) not in known:
                raise UnknownName(name, getattr(self, name), known)
        for name in ("learning_rate", "batch_size", "epochs", "patience"):
            if not getattr(self, name) > 0:
                raise UserError(f"recipe: {name} must be above zero, not {getattr(self, name)!r}")
        if self.warmup_steps < 0:
            raise UserError(f"recipe: warmup_steps must not be negative, not {self.warmup_steps!r}")

    def as_dict(self) -> dict[str, Any]:
        """The values, for a cell's canonical JSON."""
        return asdict(self)


def make_recipe(*values: Mapping[str, Any]) -> Recipe:
    """A recipe from mappings of field names to values; later ones win.

    Raises:
        UnknownName: a key is not a field of :class:`Recipe`.
        UserError: a value is out of range or of the wrong type.
    """
    known = {field.name: type(field.default) for field in fields(Recipe)}
    merged: dict[str, Any] = {}
    for key, value in (item for mapping in values for item in mapping.items()):
        if key not in known:
            raise UnknownName("recipe key", key, known)
        if known[key] is float and type(value) is int:
            value = float(value)
        if type(value) is not known[key]:
            raise UserError(f"recipe: {key} must be {known[key].__name__}, not {value!r}")
        merged[key] = value
    return Recipe(**merged)
