"""Train an image model on its views and predict every split from its best epoch."""

from __future__ import annotations

from functools import partial
from typing import Any

import keras
import numpy as np

from benchmark.data.gathered import Images
from benchmark.data.pipeline import evaluation_batches, steps_per_epoch, training_batches
from benchmark.data.prepared import SPLITS, ManifestPart, Prepared
from benchmark.data.views import open_view
from benchmark.errors import UserError
from benchmark.execution.cell_data import SplitData
from benchmark.execution.cell_run import Context, Event, Outcome, Phases
from benchmark.models import ModelFile, create
from benchmark.suites.cell import Cell
from benchmark.training.fit import compile_model, fit, validation_auc
from benchmark.training.recipe import Recipe

EVALUATION_BATCH = 64


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
    recipe = Recipe(**cell.recipe)
    _check_device(cell.device)
    with phases.phase("views"):
        view = partial(_view, prepared, cell, context, on_event)
        images = {split: data[split].images(view) for split in SPLITS}
    train, steps = data["train"].part, steps_per_epoch(len(images["train"]), cell.micro_batch)
    with phases.phase("build"):
        model = _fresh_model(cell, model_file, prepared)
        compile_model(model, prepared.task, recipe, steps, cell.device)
    with phases.phase("train"):
        history = fit(
            model,
            training_batches(
                images["train"],
                train.masked_targets,
                batch_size=cell.micro_batch,
                seed=cell.seed,
                augmentation=cell.augmentation,
                first_epoch=0,
                epochs=recipe.epochs,
            ),
            steps,
            _validator(images["validation"], data["validation"].part, prepared),
            recipe,
            lambda epoch, epochs, values: on_event(
                {"event": "epoch", "epoch": epoch, "epochs": epochs, **values}
            ),
        )
    with phases.phase("predict"):
        logits = {split: predict_logits(model, images[split]) for split in SPLITS}
    weights = context.results.weights_path(cell.cell_id)
    with phases.phase("write"):
        _save_weights(model, weights)
    return Outcome(logits, model.count_params(), history.as_dict(), _determinism(cell))


def predict_logits(model: keras.Model, images: Images) -> np.ndarray:
    """Logits (N, F) float32 of uint8 images (N, S, S), in order and without augmentation."""
    return np.asarray(model.predict(evaluation_batches(images, EVALUATION_BATCH), verbose=0))


def _view(
    prepared: Prepared, cell: Cell, context: Context, on_event: Event, split: str
) -> np.ndarray:
    def progress(done: int, total: int) -> None:
        on_event({"event": "view", "split": split, "done": done, "total": total})

    return open_view(
        prepared, split, cell.resolution, cell.preprocessing, context.cache_dir, progress
    ).images


def _fresh_model(cell: Cell, model_file: ModelFile, prepared: Prepared) -> keras.Model:
    """A new model whose state depends on the cell alone, not on what ran before it."""
    keras.utils.clear_session(free_memory=True)
    keras.utils.set_random_seed(cell.seed)
    keras.config.set_dtype_policy(cell.precision)
    return create(model_file, cell.resolution, prepared.task, cell.normalisation)


def _validator(images: Images, part: ManifestPart, prepared: Prepared):
    targets = np.where(part.labelled, part.targets, np.nan)
    return validation_auc(lambda model: predict_logits(model, images), targets, prepared.task)


def _save_weights(model: keras.Model, path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name.removesuffix('.weights.h5')}.tmp.weights.h5")
    bare = keras.Model(model.inputs, model.outputs)  # without the optimizer, twice the size again
    bare.save_weights(temporary)
    temporary.replace(path)


def _check_device(device: str) -> None:
    kinds = {"gpu": "GPU", "tpu": "TPU"}
    if device in kinds and not keras.distribution.list_devices(kinds[device]):
        raise UserError(
            f"this machine was taken to have a {device}, but Keras on the "
            f"{keras.backend.backend()} backend finds none. Set CXR_BENCH_DEVICE=cpu to train on "
            "the CPU."
        )


def _determinism(cell: Cell) -> str:
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
