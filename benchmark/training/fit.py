"""The fit loop: an exact validation score after every epoch, best weights kept, early stopping."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, NamedTuple

import keras
import numpy as np

from benchmark.data.heartbeat import Heartbeat
from benchmark.errors import UserError
from benchmark.records import run_facts as records
from benchmark.records.predictions import link
from benchmark.scoring.macro import macro_auc
from benchmark.task import Task
from benchmark.training.averaging import averaged
from benchmark.training.checkpoint import Checkpoint, State
from benchmark.training.clock import TrainingClock
from benchmark.training.recipe import Recipe

CHECK_EVERY = 50
"""Steps between two looks at the loss within an epoch; each makes an accelerator wait."""

EpochDone = Callable[[int, int, dict[str, float | None]], None]


_Judged = tuple[float | None, float | None]
"""Score and loss of an epoch."""


class Validated(NamedTuple):
    """What is known of a model after an epoch.

    Attributes:
        score: the higher, the better the epoch; None counts as the worst, and where no epoch has
            one the loss decides.
        loss: on validation; None where it was not computed.
        predictions: what the model said of the validation split, (N, F); None to keep none.
    """

    score: float | None
    loss: float | None = None
    predictions: np.ndarray | None = None


@dataclass(frozen=True)
class Validation:
    """What the best epoch is chosen by.

    Attributes:
        score_name: as events and stored histories have it, such as ``val_auc``.
        validate: judges a model.
    """

    score_name: str
    validate: Callable[[keras.Model], Validated]


class Diverged(UserError):
    """The loss stopped being a number."""


@dataclass
class History:
    """What happened epoch by epoch.

    Attributes:
        score_name: what ``val_score`` is called where it is stored.
        best_epoch: the one whose weights were kept, counted from 0.
        stages: name and number of epochs of each stage, in order; empty where there is one.
    """

    score_name: str
    loss: list[float] = field(default_factory=list)
    val_score: list[float | None] = field(default_factory=list)
    val_loss: list[float | None] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    best_epoch: int = 0
    stages: list[tuple[str, int]] = field(default_factory=list)

    @classmethod
    def joined(cls, stages: dict[str, History]) -> History:
        """One history of stages that followed each other; the best epoch is the last one's."""
        histories = list(stages.values())
        return cls(
            histories[-1].score_name,
            loss=list(chain(*(history.loss for history in histories))),
            val_score=list(chain(*(history.val_score for history in histories))),
            val_loss=list(chain(*(history.val_loss for history in histories))),
            seconds=list(chain(*(history.seconds for history in histories))),
            best_epoch=sum(len(h.loss) for h in histories[:-1]) + histories[-1].best_epoch,
            stages=[(name, len(history.loss)) for name, history in stages.items()],
        )

    def as_record(self) -> records.History:
        """Everything that is the same in every run of a spec (so without the seconds)."""
        known = [loss for loss in self.val_loss if loss is not None]
        return records.History(
            best_epoch=self.best_epoch,
            loss=self.loss,
            val_loss=None if len(known) < len(self.val_loss) else known,
            stages=self.stages or None,
            **{self.score_name: self.val_score},
        )


class Fitted(NamedTuple):
    """What :func:`fit` gives.

    Attributes:
        history: of all epochs.
        predictions: what was said of the validation split after the best epoch, (N, F); None where
            it was not kept, or where that epoch lies before the checkpoint that was gone on from.
    """

    history: History
    predictions: np.ndarray | None


def fit(
    model: keras.Model,
    batches: Callable[[int], Any],
    steps: int,
    validation: Validation,
    recipe: Recipe,
    on_epoch: EpochDone = lambda epoch, epochs, values: None,
    checkpoint: Checkpoint | None = None,
    clock: TrainingClock | None = None,
) -> Fitted:
    """Train a compiled model and leave it with the weights of its best epoch.

    Args:
        batches: gives the (x, y) batches from an epoch on to the last, ``steps`` each (see
            ``benchmark.data.pipeline``).
        validation: what to choose the best epoch by.
        on_epoch: called after each epoch with its number, the most epochs, and loss and score.
        checkpoint: where to go on from, and to save every epoch in; None to do neither.
        clock: adds up where the time goes, ``evaluation`` and ``writing`` after the epochs
            included; None where nobody asks.

    Raises:
        Diverged: the loss is not finite; noticed within :data:`CHECK_EVERY` steps.
    """
    clock = clock or TrainingClock(Heartbeat())
    keeper = BestEpoch(validation, recipe, on_epoch, checkpoint, clock)
    state = checkpoint.load(model) if checkpoint else None
    if state:
        keeper.history, keeper.best_weights = History(**state.history), list(state.best_weights)
        clock.go_on_from(state.timed)
    done = len(keeper.history.loss)
    if not keeper.ended:
        model.fit(
            batches(done),
            initial_epoch=done,
            epochs=recipe.epochs,
            steps_per_epoch=steps,
            shuffle=False,  # the pipeline did
            verbose=0,
            callbacks=[keeper, clock],
        )
    model.set_weights(keeper.best_weights)
    return Fitted(keeper.history, keeper.best_predictions)


def validation_auc(
    logits: Callable[[keras.Model], np.ndarray],
    targets: np.ndarray,
    task: Task,
    loss: keras.losses.Loss | None = None,
) -> Validation:
    """The exact macro AUC, to choose the best epoch by.

    Args:
        logits: gives the (N, F) logits of the validation split.
        targets: (N, F), NaN where unlabelled.
        loss: the one that is trained by; None to leave it out.
    """
    known = np.nan_to_num(targets, nan=-1.0).astype(np.float32)

    def validate(model: keras.Model) -> Validated:
        values = logits(model)
        ranked = link(values, task.kind) if task.exclusive else values
        val_loss = float(loss(known, values)) if loss else math.nan
        # What is no number is not recorded; whether the training goes on is not decided by it.
        told = val_loss if math.isfinite(val_loss) else None
        return Validated(macro_auc(targets, ranked), told, values)

    return Validation("val_auc", validate)


class BestEpoch(keras.callbacks.Callback):
    """Validates after every epoch, keeps the best one's weights and a checkpoint, stops in time.

    The arguments are those of :func:`fit`, and its clock.
    """

    def __init__(
        self,
        validation: Validation,
        recipe: Recipe,
        on_epoch: EpochDone,
        checkpoint: Checkpoint | None,
        clock: TrainingClock,
    ):
        super().__init__()
        self.history = History(validation.score_name)
        self.best_weights: list[np.ndarray] = []
        self.best_predictions: np.ndarray | None = None
        self._validate, self._recipe, self._on_epoch = validation.validate, recipe, on_epoch
        self._checkpoint: Checkpoint | None = checkpoint
        self._clock: TrainingClock = clock
        self._epoch, self._started = 0, 0.0

    @property
    def ended(self) -> bool:
        """Whether there is no epoch to come: the last was had, or none was better for too long."""
        had = len(self.history.loss)
        impatient = had - 1 - self.history.best_epoch >= self._recipe.patience
        return had >= self._recipe.epochs or impatient

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Note when the epoch began."""
        self._epoch, self._started = epoch, time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any]) -> None:
        """Look at the loss from time to time."""
        if (batch + 1) % CHECK_EVERY == 0:
            self._finite(logs)

    def _finite(self, logs: dict[str, Any]) -> float:
        """The mean loss of the epoch so far; once it is not a number it never is again."""
        loss = float(logs["loss"])
        if not math.isfinite(loss):
            raise Diverged(f"the training loss became {loss} in epoch {self._epoch + 1}")
        return loss

    def on_epoch_end(self, epoch: int, logs: dict[str, Any]) -> None:
        """Judge the epoch."""
        loss = self._finite(logs)
        self.history.seconds.append(time.perf_counter() - self._started)
        with self._clock.part("evaluation"), averaged(self.model):
            self._judge(epoch, self._validate(self.model))
        self.history.loss.append(loss)
        if self._checkpoint:
            state = State(vars(self.history), self.best_weights, self._clock.timed)
            with self._clock.part("writing"):
                self._checkpoint.save(self.model, state)
        values = {"loss": loss, self.history.score_name: self.history.val_score[-1]}
        self._on_epoch(epoch + 1, self._recipe.epochs, values)
        self.model.stop_training = self.ended

    def _judge(self, epoch: int, validated: Validated) -> None:
        """Note how the epoch did, and keep its weights if it is the best."""
        score, val_loss, predictions = validated
        self.history.val_score.append(score)
        self.history.val_loss.append(val_loss)
        best = self.history.best_epoch
        had = self.history.val_score[best], self.history.val_loss[best]
        if not self.best_weights or _better((score, val_loss), had):
            self.history.best_epoch = epoch
            self.best_weights, self.best_predictions = self.model.get_weights(), predictions


def _better(now: _Judged, best: _Judged) -> bool:
    """By the score; where validation has none, of images of one kind alone, by the loss."""
    (score, loss), (best_score, best_loss) = now, best
    if score is None and best_score is None:
        return loss is not None and (best_loss is None or loss < best_loss)
    return score is not None and (best_score is None or score > best_score)
