"""The fit loop: exact validation AUC after every epoch, best weights kept, early stopping."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np

from benchmark.errors import UserError
from benchmark.records.predictions import link
from benchmark.scoring.macro import macro_auc
from benchmark.task import Task
from benchmark.training.loss import MaskedCrossEntropy
from benchmark.training.recipe import Recipe

EpochDone = Callable[[int, int, dict[str, float]], None]


class Diverged(UserError):
    """The loss stopped being a number."""


@dataclass
class History:
    """What happened epoch by epoch; ``best_epoch`` counts from 0."""

    loss: list[float] = field(default_factory=list)
    val_auc: list[float | None] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    best_epoch: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Everything that is the same in every run of a cell (so without the seconds)."""
        return {"loss": self.loss, "val_auc": self.val_auc, "best_epoch": self.best_epoch}


def learning_rate(recipe: Recipe, steps: int) -> float | keras.optimizers.schedules.CosineDecay:
    """The recipe's learning rate over a training of ``steps`` steps an epoch.

    The warm-up takes at most a tenth of the whole, so that a small set is not warmed up for good.
    """
    total = recipe.epochs * steps
    warmup = min(recipe.warmup_steps, total // 10)
    if recipe.schedule == "constant" and not warmup:
        return recipe.learning_rate
    return keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0 if warmup else recipe.learning_rate,
        decay_steps=total - warmup,
        alpha=1.0 if recipe.schedule == "constant" else 0.0,
        warmup_target=recipe.learning_rate if warmup else None,
        warmup_steps=warmup,
    )


def make_optimizer(recipe: Recipe, steps: int) -> keras.optimizers.Optimizer:
    """The recipe's optimizer, with its learning rate over a training of ``steps`` an epoch."""
    rate = learning_rate(recipe, steps)
    if recipe.optimizer == "sgd":
        return keras.optimizers.SGD(rate, momentum=0.9)
    kinds = {"adam": keras.optimizers.Adam, "adamw": keras.optimizers.AdamW}
    return kinds[recipe.optimizer](rate)


def compile_model(model: keras.Model, task: Task, recipe: Recipe, steps: int, device: str) -> None:
    """Make a model ready to train with ``steps`` an epoch.

    XLA is off on CPUs under TensorFlow: there it slows ResNet50 at 64 px from 34 to 6 images/s.
    """
    slow_xla = device == "cpu" and keras.backend.backend() == "tensorflow"
    model.compile(
        optimizer=make_optimizer(recipe, steps),
        loss=MaskedCrossEntropy(task.exclusive),
        jit_compile=False if slow_xla else "auto",
    )


def fit(
    model: keras.Model,
    batches: Any,
    steps: int,
    validate: Callable[[keras.Model], float | None],
    recipe: Recipe,
    on_epoch: EpochDone = lambda epoch, epochs, values: None,
) -> History:
    """Train a compiled model and leave it with the weights of its best epoch.

    Args:
        batches: (x, y) batches of all epochs, ``steps`` each (see ``benchmark.data.pipeline``).
        validate: gives the exact macro AUC on validation; None counts as the worst.
        on_epoch: called after each epoch with its number, the most epochs, and loss and AUC.

    Raises:
        Diverged: the loss of an epoch is not finite.
    """
    keeper = _BestEpoch(validate, recipe, on_epoch)
    model.fit(
        batches,
        epochs=recipe.epochs,
        steps_per_epoch=steps,
        shuffle=False,  # the pipeline did
        verbose=0,
        callbacks=[keeper],
    )
    model.set_weights(keeper.best_weights)
    return keeper.history


def validation_auc(
    logits: Callable[[keras.Model], np.ndarray], targets: np.ndarray, task: Task
) -> Callable[[keras.Model], float | None]:
    """A ``validate`` for :func:`fit`.

    Args:
        logits: gives the (N, F) logits of the validation split.
        targets: (N, F), NaN where unlabelled.
    """

    def validate(model: keras.Model) -> float | None:
        values = logits(model)
        ranked = link(values, task.kind) if task.exclusive else values
        return macro_auc(targets, ranked)

    return validate


class _BestEpoch(keras.callbacks.Callback):
    def __init__(self, validate, recipe: Recipe, on_epoch: EpochDone):
        super().__init__()
        self.history = History()
        self.best_weights: list[np.ndarray] = []
        self._validate, self._recipe, self._on_epoch = validate, recipe, on_epoch
        self._started = 0.0

    def on_epoch_begin(self, epoch, logs=None):
        self._started = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        loss = float(logs["loss"])
        if not math.isfinite(loss):
            raise Diverged(f"the training loss became {loss} in epoch {epoch + 1}")
        self.history.seconds.append(time.perf_counter() - self._started)
        auc = self._validate(self.model)
        self.history.loss.append(loss)
        self.history.val_auc.append(auc)
        if not self.best_weights or _score(auc) > _score(
            self.history.val_auc[self.history.best_epoch]
        ):
            self.history.best_epoch = epoch
            self.best_weights = self.model.get_weights()
        self._on_epoch(epoch + 1, self._recipe.epochs, {"loss": loss, "val_auc": auc})
        if epoch - self.history.best_epoch >= self._recipe.patience:
            self.model.stop_training = True


def _score(auc: float | None) -> float:
    return -1.0 if auc is None else auc
