"""The training protocol of a suite, as plain values. Imports no Keras."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from benchmark.bounds import OF_RECIPE, wrong_of_recipe
from benchmark.errors import TYPES, UnknownName, UserError, in_toml

OPTIMIZERS = ("adam", "adamw", "sgd")
SCHEDULES = ("constant", "cosine")
DECAYED = ("all", "kernels")
BATCH_NORMS = ("inference", "training")
LATER = ("clip_norm", "accumulate", "weight_decay", "head_epochs", "finetune_factor", "name",
         "warmup_share", "decayed", "label_smoothing", "ema_epochs", "batch_norm")  # fmt: skip
"""Values left out of a spec where they are the usual ones, so that earlier ids stay."""
PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")
CHOICES = {"optimizer": OPTIMIZERS, "schedule": SCHEDULES, "precision": PRECISIONS,
           "decayed": DECAYED, "batch_norm": BATCH_NORMS}  # fmt: skip


@dataclass(frozen=True)
class Recipe:
    """How a model is trained.

    Attributes:
        optimizer: ``"adam"``, ``"adamw"`` or ``"sgd"`` (momentum 0.9).
        learning_rate: the highest, reached after the warm-up.
        schedule: what follows the warm-up: ``"constant"``, or ``"cosine"`` to zero at the last
            step of the last epoch (Loshchilov and Hutter 2017, arXiv:1608.03983).
        warmup_steps: steps in which the rate rises linearly from zero. Without it networks that
            have no batch normalisation, GoogLeNet above all, overshoot at the start.
        batch_size: images per update of the weights; what is left of an epoch is dropped.
        epochs: the most passes over the training split.
        patience: epochs without a better exact macro AUC on validation before training stops. The
            weights of the best epoch are kept.
        precision: Keras dtype policy; ``"float32"`` is IEEE single precision throughout. It is a
            field of the spec, not one of its recipe's values.
        clip_norm: longest that the gradient of all weights together may be; 0 for any length.
        accumulate: parts that a batch is trained in, one after another, where it does not fit into
            memory; the gradient is their mean. Batch normalisation sees a part at a time.
        weight_decay: of AdamW alone (Loshchilov and Hutter 2019, arXiv:1711.05101).
        head_epochs: the most epochs of the head alone, before the whole network is fine-tuned.
        finetune_factor: of the learning rate, when the whole network is.
        batch_norm: of the backbone, when the whole network is: ``"inference"`` keeps its statistics
            and scales as they came, ``"training"`` has them learn with the rest.
        name: of the named recipe (:mod:`benchmark.training.recipes`) that the values come from; it
            changes nothing, and values may differ from those that the recipe has by now.
        warmup_share: of all updates, those in which the rate rises; 0 for ``warmup_steps``.
        decayed: what weight decay acts on: ``"all"``, or ``"kernels"``, which leaves out biases and
            what normalisation scales by (all that is a vector).
        label_smoothing: share of the truth that is spread evenly over the classes of a finding
            (Szegedy et al. 2016, arXiv:1512.00567).
        ema_epochs: epochs after which a step counts 1/e in the exponential moving average of the
            weights, which then is what is validated and kept; 0 for the last weights. A time, so
            that it means the same for any size of set and batch (Busbridge et al. 2023,
            arXiv:2307.13813).
    """

    optimizer: str = "adam"
    learning_rate: float = 1e-3
    schedule: str = "cosine"
    warmup_steps: int = 100
    batch_size: int = 32
    epochs: int = 10
    patience: int = 3
    precision: str = "float32"
    clip_norm: float = 0.0
    accumulate: int = 1
    weight_decay: float = 0.004
    head_epochs: int = 5
    finetune_factor: float = 0.1
    name: str = ""
    warmup_share: float = 0.0
    decayed: str = "all"
    label_smoothing: float = 0.0
    ema_epochs: float = 0.0
    batch_norm: str = "inference"

    def __post_init__(self) -> None:
        _check_values(asdict(self))
        if self.batch_size % self.accumulate:
            raise UserError(
                f"recipe: batch_size {self.batch_size} does not divide into {self.accumulate} "
                "equal parts; choose another accumulate"
            )

    @property
    def micro_batch(self) -> int:
        """Images that are in memory at a time."""
        return self.batch_size // self.accumulate

    def as_dict(self) -> dict[str, Any]:
        """The values as a spec has them: without the precision, which is a field of its own."""
        usual = {field.name: field.default for field in fields(self) if field.name in LATER}
        usual["precision"] = self.precision
        return {key: value for key, value in asdict(self).items() if usual.get(key, ...) != value}


def make_recipe(*values: Mapping[str, Any]) -> Recipe:
    """A recipe from mappings of field names to values; later ones win.

    Raises:
        UnknownName: a key is not a field of :class:`Recipe`.
        UserError: a value is out of range or of the wrong type.
    """
    merged: dict[str, Any] = {}
    for mapping in values:
        merged |= mapping
    return Recipe(**_typed(merged))


def check_recipe(values: Mapping[str, Any]) -> None:
    """Check some values of a recipe, each for itself: others may stand beside them elsewhere.

    Raises:
        UnknownName, UserError: as :func:`make_recipe`.
    """
    _check_values(_typed(values))


def _typed(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values of their fields' types; a whole number is a float where one is asked for."""
    known = {field.name: type(field.default) for field in fields(Recipe)}
    typed: dict[str, Any] = {}
    for key, value in values.items():
        if key not in known:
            raise UnknownName("recipe key", key, known)
        if known[key] is float and type(value) is int:
            value = _float(value)
        if type(value) is not known[key]:
            wanted = TYPES[known[key].__name__]
            raise UserError(f"recipe: {key} must be {wanted}, not {in_toml(value)}")
        typed[key] = value
    return typed


def _float(number: int) -> float:
    try:
        return float(number)
    except OverflowError:
        return math.inf  # which is refused


def _check_values(values: Mapping[str, Any]) -> None:
    """Check values of the right types that are there, each for itself."""
    for name, value in values.items():
        if name in CHOICES and value not in CHOICES[name]:
            raise UnknownName(name, value, CHOICES[name])
        if name in OF_RECIPE and (wanted := wrong_of_recipe(name, value)):
            raise UserError(f"recipe: {name} must be {wanted}, not {value!r}")
