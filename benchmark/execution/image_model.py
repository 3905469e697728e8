"""Train an image model on its views and predict every split from its best epoch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np

from benchmark.data.gathered import Images
from benchmark.data.prepared import SPLITS, Prepared
from benchmark.data.split_data import SplitData
from benchmark.errors import UserError
from benchmark.execution.continued import continue_from
from benchmark.execution.environment import Environment, fix_keras_settings
from benchmark.execution.frozen import fine_tune, train_head
from benchmark.execution.spec_run import Context, Event, Outcome, Phases
from benchmark.execution.stage import Job, predict_splits, train_whole
from benchmark.execution.starting_weights import (
    WeightSources,
    check_start,
    made_from_weights,
    starting_weights,
    weights_watermarks,
)
from benchmark.execution.traced import TRACED, key_of
from benchmark.hashing import sha256_of_file
from benchmark.models import ModelFile, create, load
from benchmark.segmentation.lung_views import open_prepared_view
from benchmark.spec import Spec
from benchmark.task import Task
from benchmark.training.imbalance import find_policy
from benchmark.training.loss import MaskedCrossEntropy
from benchmark.training.recipe import Recipe
from benchmark.training.weights import FINETUNE, FROZEN

TRAINERS = {FROZEN: train_head, FINETUNE: fine_tune}
"""What trains a scheme, where it is not every layer at once."""


def run_image_model(
    spec: Spec,
    model_file: ModelFile,
    prepared: Prepared,
    data: dict[str, SplitData],
    context: Context,
    phases: Phases,
    on_event: Event,
) -> Outcome:
    """Train one spec.

    Args:
        data: for each split which images, and their ids, metadata and targets.
        phases: gets the time of each phase.
        on_event: told about every finished epoch.

    Raises:
        UserError: the machine does not have the device the spec was planned for.
        benchmark.training.fit.Diverged: the loss stopped being a number.
    """
    check_device(context.environment)
    files = check_start(spec, model_file, WeightSources(context.results, context.weights_dirs))
    with phases.phase("views"):
        images = open_images(spec, prepared, data, context, on_event)
    job = make_job(spec, model_file, prepared.task, data, images, context, phases, on_event)
    TRACED.forget_others(key_of(job))
    with phases.phase("build"):
        model = _starting_model(spec, model_file, prepared.task, files, context)
    trained = TRAINERS.get(spec.scheme, train_whole)(model, job)
    with phases.phase("predict"):
        logits = predict_splits(trained.network, trained.inputs, trained.validation)
    with phases.phase("write"):
        saved = context.results.weights_path(spec.spec_id)
        save_weights(trained.model, saved)
    return Outcome(
        logits,
        model.count_params(),
        trained.history.as_record(),
        determinism(context.environment),
        weights_sha256=sha256_of_file(saved),
        starting_weights=starting_weights(spec, model_file, files),
        made_from=made_from_weights(spec, files),
        watermarks=weights_watermarks(spec, prepared, files, context.results),
    )


def make_job(
    spec: Spec,
    model_file: ModelFile,
    task: Task,
    data: dict[str, SplitData],
    images: dict[str, Images],
    context: Context,
    phases: Phases,
    on_event: Event,
) -> Job:
    """What a training of this spec on these images needs; the imbalance policy is applied here."""
    policy, targets = find_policy(spec.imbalance), data["train"].part.masked_targets
    if data["train"].holds_copies:  # made by a legacy protocol, before it split
        policy = replace(policy, copy=None)
    return Job(
        spec,
        model_file,
        Recipe(**spec.recipe),
        task,
        images,
        policy.training_set(images["train"], targets, spec.seed),
        MaskedCrossEntropy(task.exclusive, **policy.loss_settings(targets, task)),
        data["validation"].part,
        context,
        phases,
        on_event,
    )


def open_images(
    spec: Spec,
    prepared: Prepared,
    data: dict[str, SplitData],
    context: Context,
    on_event: Event,
) -> dict[str, Images]:
    """The images of each split of a spec, uint8 (N, S, S), from its views."""

    def view(split: str) -> np.ndarray:
        def progress(done: int, total: int) -> None:
            on_event({"event": "view", "split": split, "done": done, "total": total})

        return open_prepared_view(
            prepared,
            split,
            spec,
            context.cache_dir,
            context.results,
            progress,
        ).images

    return {split: data[split].images(view) for split in SPLITS}


def fresh_model(
    spec: Spec, model_file: ModelFile, task: Task, files: Sequence[Path] = ()
) -> keras.Model:
    """A new model whose state depends on the spec alone, not on what ran before it.

    Args:
        files: published weights of its backbones; none to draw them at random.
    """
    load(model_file)  # whatever its file sets when it is run is undone before it is used
    keras.utils.clear_session(free_memory=True)
    keras.utils.set_random_seed(spec.seed)
    _fix_settings(spec)
    paths = tuple(map(str, files)) or None
    model = create(model_file, spec.resolution, task, spec.normalisation, paths)
    _fix_settings(spec)
    return model


def _fix_settings(spec: Spec) -> None:
    fix_keras_settings()
    keras.config.set_dtype_policy(spec.precision)


def _starting_model(
    spec: Spec, model_file: ModelFile, task: Task, files: Sequence[Path], context: Context
) -> keras.Model:
    if not spec.origin:
        return fresh_model(spec, model_file, task, files)
    model = fresh_model(spec, model_file, task)
    learnt = context.results.read_row(spec.origin).dataset.task
    theirs = Task(tuple(learnt.findings), learnt.kind)
    continue_from(
        model,
        files[0],
        theirs,
        lambda task: create(model_file, spec.resolution, task, spec.normalisation),
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


def check_device(environment: Environment) -> None:
    """Raise a UserError where Keras does not find the device that a worker was started for."""
    device, kinds = environment.device, {"gpu": "GPU", "tpu": "TPU"}
    if device in kinds and not keras.distribution.list_devices(kinds[device]):
        raise UserError(
            f"this machine was taken to have a {device}, but Keras on the "
            f"{keras.backend.backend()} backend finds none. Set CXR_BENCH_DEVICE=cpu to train on "
            "the CPU."
        )


def determinism(environment: Environment) -> str:
    """How far a spec repeats itself, in words for its row."""
    backend, device = environment.backend, environment.device
    if device == "cpu" and backend == "tensorflow":
        return "bit-identical on one CPU machine"
    return f"seeded; {backend} on {device} does not promise identical bits"


def configure_framework(environment: Environment) -> None:
    """Make the framework deterministic, and keep it to the cores it is given."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(environment.threads)
    tf.config.threading.set_inter_op_parallelism_threads(environment.threads)
    tf.config.experimental.enable_tensor_float_32_execution(False)  # float32 means IEEE
    if environment.backend == "tensorflow":
        tf.config.experimental.enable_op_determinism()
    else:
        tf.config.set_visible_devices([], "GPU")  # tf.data only: leave the memory to the backend
