"""Train a classifier on its views and predict every split from its best epoch."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import keras

from benchmark.kinds.ancestry import overlaps
from benchmark.kinds.job import Outcome, SpecJob
from benchmark.models import create
from benchmark.models._macs import multiply_adds
from benchmark.training.network import (
    check_device,
    check_room_for,
    determinism,
    encode_weights,
    fresh_model,
)
from benchmark.training.schemes import AXIS as SCHEMES
from benchmark.training.schemes import why_no_network
from benchmark.training.stage import predict_splits
from benchmark.training.starting_weights import (
    WeightSources,
    check_start,
    made_from_weights,
    not_as_published,
    starting_weights,
)
from benchmark.training.warm_start import warm_start


def run(job: SpecJob) -> Outcome:
    """Train one spec.

    Raises:
        UserError: the machine does not have the device the worker was started for, or there is no
            room for the weights.
        benchmark.training.fit.Diverged: the loss stopped being a number.
    """
    spec, context, model_file = job.spec, job.context, job.model_file
    check_device(context.environment)
    files = check_start(spec, model_file, WeightSources(context.results, context.weights_dirs))
    watermarks = _watermarks(job, files)
    training = job.training(job.images())
    context.compiled.forget_others(training.compiled_key)
    with job.phases.phase("build"):
        model = _starting_model(job, files)
    _tell_size(job, model)
    weights = context.results.weights_path(spec.spec_id)
    has_network = not why_no_network(spec.scheme)
    if has_network:
        check_room_for(model, weights)
    trained = SCHEMES.find(spec.scheme).load()(model, training)
    with job.phases.phase("predict"):
        logits = trained.logits or predict_splits(
            trained.network, trained.inputs, trained.validation, context.heartbeat
        )
    with job.phases.phase("write"):
        large = {weights: encode_weights(trained.model)} if has_network else {}
    return Outcome(
        logits,
        trained.model.count_params(),
        trained.history and trained.history.as_record(),
        determinism(context.environment),
        large=large,
        penalty=trained.penalty,
        starting_weights=starting_weights(spec, model_file, files),
        made_from=made_from_weights(spec, files),
        watermarks=watermarks,
    )


def _tell_size(job: SpecJob, model: keras.Model) -> None:
    """Say what a model costs whose card does not, for the time that is left of the run."""
    if job.model_file.card["gmacs_224"] is not None:
        return
    with suppress(AttributeError, TypeError, ValueError):  # layers of a kind that cannot be counted
        gigamacs = multiply_adds(model) * (224 / job.spec.resolution) ** 2 / 1e9
        job.on_event({"event": "size", "gmacs_224": gigamacs})


def _watermarks(job: SpecJob, files: Sequence[Path]) -> list[str]:
    """Why a row is not to be ranked for the weights it began with; empty where nothing is wrong."""
    context = job.context
    with job.phases.phase("views"):
        found = overlaps(job.spec, job.prepared, context.results, context.cache_dir)
    return [mark for each in found for mark in each.marks] + not_as_published(job.spec, files)


def _starting_model(job: SpecJob, files: Sequence[Path]) -> keras.Model:
    spec, model_file, task = job.spec, job.model_file, job.prepared.task
    if not spec.origin:
        return fresh_model(spec, model_file, task, files)
    model = fresh_model(spec, model_file, task)
    origin = job.context.results.read_row(spec.origin)
    assert origin is not None  # the files are those that it saved
    warm_start(
        model,
        files[0],
        origin.task,
        lambda task: create(model_file, spec.resolution, task, spec.normalisation),
    )
    return model
