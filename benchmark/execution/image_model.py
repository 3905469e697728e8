"""Train an image model on its views and predict every split from its best epoch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from benchmark.data.gathered import Images
from benchmark.data.prepared import SPLITS, Prepared
from benchmark.data.split_data import SplitData
from benchmark.errors import UserError
from benchmark.execution.cell_run import Context, Event, Outcome, Phases
from benchmark.execution.continued import continue_from
from benchmark.execution.frozen import fine_tune, train_head
from benchmark.execution.stage import Job, predict_splits, train_whole
from benchmark.execution.starting_weights import (
    WeightSources,
    check_start,
    weights_facts,
    weights_watermarks,
)
from benchmark.execution.traced import TRACED, key_of
from benchmark.models import ModelFile, create
from benchmark.segmentation.lung_views import open_prepared_view
from benchmark.suites.cell import Cell
from benchmark.task import Task
from benchmark.training.imbalance import find_policy
from benchmark.training.loss import MaskedCrossEntropy
from benchmark.training.recipe import Recipe
from benchmark.training.weights import FINETUNE, origin

TRAINERS = {"random_frozen": train_head, "imagenet_frozen": train_head, FINETUNE: fine_tune}
"""What the weight policies train, where it is not every layer at once."""


def run_image_model(
    cell: Cell,
    model_file: ModelFile,
    prepared: Prepared,
    data: dict[str, SplitData],
    context: Context,
    phases: Phases,
    on_event: Event,
) -> Outcome:
    """Train one cell.

    Args:
        data: for each split which images, and their ids, metadata and targets.
        phases: gets the time of each phase.
        on_event: told about every finished epoch.

    Raises:
        UserError: the machine does not have the device the cell was planned for.
        benchmark.training.fit.Diverged: the loss stopped being a number.
    """
    check_device(cell.device)
    files = check_start(cell, model_file, WeightSources(context.results, context.weights_dirs))
    with phases.phase("views"):
        images = open_images(cell, prepared, data, context, on_event)
    job = make_job(cell, model_file, prepared.task, data, images, context, phases, on_event)
    TRACED.forget_others(key_of(job))
    with phases.phase("build"):
        model = _starting_model(cell, model_file, prepared.task, files, context)
    trained = TRAINERS.get(cell.weights, train_whole)(model, job)
    with phases.phase("predict"):
        logits = predict_splits(trained.network, trained.inputs, trained.validation)
    with phases.phase("write"):
        save_weights(trained.model, context.results.weights_path(cell.cell_id))
    return Outcome(
        logits,
        model.count_params(),
        trained.history.as_dict(),
        determinism(cell),
        weights_facts(cell, model_file, files),
        weights_watermarks(cell, prepared, files, context.results),
    )


def make_job(
    cell: Cell,
    model_file: ModelFile,
    task: Task,
    data: dict[str, SplitData],
    images: dict[str, Images],
    context: Context,
    phases: Phases,
    on_event: Event,
) -> Job:
    """What a training of this cell on these images needs; the imbalance policy is applied here."""
    policy, targets = find_policy(cell.imbalance), data["train"].part.masked_targets
    if data["train"].holds_copies:  # made by a legacy protocol, before it split
        policy = replace(policy, copy=None)
    return Job(
        cell,
        model_file,
        Recipe(**cell.recipe),
        task,
        images,
        policy.training_set(images["train"], targets, cell.seed),
        MaskedCrossEntropy(task.exclusive, **policy.loss_settings(targets, task)),
        data["validation"].part,
        context.cache_dir,
        context.results.checkpoints,
        phases,
        on_event,
    )


def open_images(
    cell: Cell,
    prepared: Prepared,
    data: dict[str, SplitData],
    context: Context,
    on_event: Event,
) -> dict[str, Images]:
    """The images of each split of a cell, uint8 (N, S, S), from its views."""

    def view(split: str) -> np.ndarray:
        def progress(done: int, total: int) -> None:
            on_event({"event": "view", "split": split, "done": done, "total": total})

        return open_prepared_view(
            prepared,
            split,
            cell.resolution,
            cell.preprocessing,
            context.cache_dir,
            context.results,
            progress,
        ).images

    return {split: data[split].images(view) for split in SPLITS}


def fresh_model(
    cell: Cell, model_file: ModelFile, task: Task, files: Sequence[Path] = ()
) -> keras.Model:
    """A new model whose state depends on the cell alone, not on what ran before it.

    Args:
        files: published weights of its backbones; none to draw them at random.
    """
    keras.utils.clear_session(free_memory=True)
    keras.utils.set_random_seed(cell.seed)
    keras.config.set_dtype_policy(cell.precision)
    paths = tuple(map(str, files)) or None
    return create(model_file, cell.resolution, task, cell.normalisation, paths)


def _starting_model(
    cell: Cell, model_file: ModelFile, task: Task, files: Sequence[Path], context: Context
) -> keras.Model:
    if not origin(cell.weights):
        return fresh_model(cell, model_file, task, files)
    model = fresh_model(cell, model_file, task)
    learnt = context.results.read_row(origin(cell.weights))["dataset"]["task"]
    theirs = Task(tuple(learnt["findings"]), learnt["kind"])
    continue_from(
        model,
        files[0],
        theirs,
        lambda task: create(model_file, cell.resolution, task, cell.normalisation),
    )
    return model


def save_weights(model: keras.Model, path: Path) -> None:
    """Save the weights of a model without its optimizer, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name.removesuffix('.weights.h5')}.tmp.weights.h5")
    bare = keras.Model(model.inputs, model.outputs)  # without the optimizer, twice the size again
    try:
        bare.save_weights(temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def check_device(device: str) -> None:
    """Raise a UserError where Keras does not find the device that a cell was planned for."""
    kinds = {"gpu": "GPU", "tpu": "TPU"}
    if device in kinds and not keras.distribution.list_devices(kinds[device]):
        raise UserError(
            f"this machine was taken to have a {device}, but Keras on the "
            f"{keras.backend.backend()} backend finds none. Set CXR_BENCH_DEVICE=cpu to train on "
            "the CPU."
        )


def determinism(cell: Cell) -> str:
    """How far a cell repeats itself, in words for its row."""
    if cell.device == "cpu" and cell.backend == "tensorflow":
        return "bit-identical on one CPU machine"
    return f"seeded; {cell.backend} on {cell.device} does not promise identical bits"


def configure_framework(settings: dict[str, Any]) -> None:
    """Make the framework deterministic and keep it to the cores that cells were planned with.

    Args:
        settings: ``backend``, ``device`` and ``threads`` of
            :class:`benchmark.execution.environment.Environment`.
    """
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(settings["threads"])
    tf.config.threading.set_inter_op_parallelism_threads(settings["threads"])
    if settings["backend"] == "tensorflow":
        tf.config.experimental.enable_op_determinism()
    else:
        tf.config.set_visible_devices([], "GPU")  # tf.data only: leave the memory to the backend
