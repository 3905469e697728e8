"""Train a segmentation network and predict the masks of every split from its best epoch."""

from __future__ import annotations

from functools import partial

import keras
import numpy as np

from benchmark.data.heartbeat import Heartbeat
from benchmark.data.indexed_images import Images
from benchmark.data.mask_batches import mask_batches
from benchmark.data.pipeline import steps_per_epoch
from benchmark.data.prepared import SPLITS
from benchmark.kinds.job import Outcome, SpecJob
from benchmark.kinds.mask_split import MaskSplit
from benchmark.records.mask_counts import count_pixels
from benchmark.scoring.overlap import dice
from benchmark.task import LUNG as LUNG_TASK
from benchmark.training.fit import Validated, Validation
from benchmark.training.loss import MaskedCrossEntropy
from benchmark.training.network import (
    check_device,
    check_room_for,
    determinism,
    encode_weights,
    fresh_model,
)
from benchmark.training.optimizer import compile_model
from benchmark.training.recipe import Recipe, make_recipe
from benchmark.training.stage import predict_logits
from benchmark.training.stage_fit import fit_stage

EVALUATION_BATCH = 16


def train_masks(job: SpecJob, splits: dict[str, MaskSplit]) -> tuple[Outcome, dict]:
    """Train one spec; the weights of the epoch with the best validation Dice are kept.

    Returns:
        How it went, and the predicted masks, bool (N, S, S), per split.

    Raises:
        UserError: the machine does not have the device the worker was started for, there is no
            room for the weights, or batches cannot be divided among the devices.
        benchmark.training.fit.Diverged: the loss stopped being a number.
    """
    spec, phases, context = job.spec, job.phases, job.context
    heartbeat, recipe, train = context.heartbeat, make_recipe(spec.recipe), splits["train"]
    images = len(train.images)
    check_device(context.environment)
    with phases.phase("build"):
        model = _compiled(job, recipe, images)
    weights = context.results.weights_path(spec.spec_id)
    check_room_for(model, weights)
    batches = partial(
        mask_batches,
        train.images,
        train.masks,
        batch_size=spec.micro_batch,
        seed=spec.seed,
        augmentation=spec.augmentation,
        epochs=recipe.epochs,
        heartbeat=heartbeat,
    )
    by_dice = _validation(splits["validation"], heartbeat)
    with phases.phase("train"):
        history, seen = fit_stage(model, job, "masks", batches, images, by_dice, recipe)
    with phases.phase("predict"):
        masks = {} if seen is None else {"validation": seen}
        for split in SPLITS:
            if split not in masks:
                masks[split] = predict_masks(model, splits[split].images, heartbeat)
    with phases.phase("write"):
        large = {weights: encode_weights(model)}
    outcome = Outcome(
        {},
        model.count_params(),
        history.as_record(),
        determinism(context.environment),
        large=large,
    )
    return outcome, masks


def _compiled(job: SpecJob, recipe: Recipe, images: int) -> keras.Model:
    """A new network, to be trained on so many images."""
    model = fresh_model(job.spec, job.model_file, LUNG_TASK)
    loss = MaskedCrossEntropy(  # of every pixel that is not ignored
        exclusive=False, label_smoothing=recipe.label_smoothing
    )
    steps = steps_per_epoch(images, job.spec.micro_batch)
    compile_model(model, loss, recipe, steps, job.context.environment.device)
    return model


def predict_masks(model: keras.Model, images: Images, heartbeat: Heartbeat) -> np.ndarray:
    """Where a network sees lung, bool (N, S, S): a probability of at least one half."""
    return predict_logits(model, images, heartbeat, EVALUATION_BATCH)[..., 0] >= 0


def _validation(split: MaskSplit, heartbeat: Heartbeat) -> Validation:
    """The mean Dice, to choose the best epoch by."""
    lung, known = split.lung, split.known

    def validate(model: keras.Model) -> Validated:
        masks = predict_masks(model, split.images, heartbeat)
        score = float(dice(count_pixels(masks, lung, known)).mean())
        return Validated(score, predictions=masks)

    return Validation("val_dice", validate)
