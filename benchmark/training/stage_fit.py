"""Fitting a network in one stage of a spec's training: gone on with, timed and told about."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import keras
import tensorflow as tf

from benchmark.data.pipeline import steps_per_epoch
from benchmark.spec import Spec
from benchmark.training.checkpoints import stage_checkpoint
from benchmark.training.clock import TrainingClock
from benchmark.training.context import Context, Event, Phases
from benchmark.training.distribution import check_divisible
from benchmark.training.feeding import is_sent_ahead, sent_ahead
from benchmark.training.fit import Fitted, Validation, fit
from benchmark.training.recipe import Recipe


class InTraining(Protocol):
    """A spec that is being trained."""

    @property
    def spec(self) -> Spec:
        """What is asked for."""

    @property
    def context(self) -> Context:
        """Where and with what it is trained."""

    @property
    def phases(self) -> Phases:
        """Gets the time of the stage."""

    @property
    def on_event(self) -> Event:
        """Told about every finished epoch."""


def fit_stage(
    network: keras.Model,
    job: InTraining,
    stage: str,
    batches: Callable[..., tf.data.Dataset],
    images: int,
    validation: Validation,
    recipe: Recipe,
    epochs_before: int = 0,
) -> Fitted:
    """Fit a compiled network and leave it with the weights of its best epoch.

    Args:
        job: gets the time, and is told.
        stage: names its checkpoint among those of the spec.
        batches: called with ``first_epoch``, gives the batches from there on to the last.
        images: number that is trained on.
        validation: what to choose the best epoch by.
        recipe: of this stage.
        epochs_before: epochs of earlier stages, for the progress that is shown.

    Raises:
        UserError: the batches cannot be divided among the devices.
        benchmark.training.fit.Diverged: the loss stopped being a number.
    """
    batch = min(images, job.spec.micro_batch)
    check_divisible(batch)
    device = job.context.environment.device
    clock = TrainingClock(job.context.heartbeat, ahead=is_sent_ahead(device))

    def tell(epoch: int, epochs: int, values: dict[str, float | None]) -> None:
        numbers = {"epoch": epochs_before + epoch, "epochs": epochs_before + epochs}
        job.on_event({"event": "epoch", **numbers, **values})

    fitted = fit(
        network,
        lambda epoch: sent_ahead(batches(first_epoch=epoch), device),
        steps_per_epoch(images, job.spec.micro_batch),
        validation,
        recipe,
        tell,
        stage_checkpoint(job.context, job.spec, stage),
        clock,
    )
    job.phases.add_stage(clock.timed, clock.earlier, batch)
    return fitted
