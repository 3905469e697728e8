"""One stage of a training: a network, what it learns from, and the exact validation after it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial, reduce
from typing import Any

import keras
import numpy as np

from benchmark.data.heartbeat import Heartbeat
from benchmark.data.indexed_images import Images
from benchmark.data.pipeline import evaluation_batches, steps_per_epoch, training_batches
from benchmark.data.prepared import ManifestPart
from benchmark.data.split_data import SplitData
from benchmark.hashing import canonical_json, sha256
from benchmark.models import ModelFile
from benchmark.records.run_facts import PenaltyFacts
from benchmark.spec import Spec
from benchmark.task import Task
from benchmark.training.context import Context, Event, Phases
from benchmark.training.distribution import replicas
from benchmark.training.fit import Fitted, History, validation_auc
from benchmark.training.imbalance import TrainingSet, find_policy
from benchmark.training.loss import MaskedCrossEntropy
from benchmark.training.optimizer import compile_model
from benchmark.training.recipe import Recipe, make_recipe
from benchmark.training.stage_fit import fit_stage

EVALUATION_BATCH = 64


@dataclass(frozen=True)
class Training:
    """A spec about to be trained, whichever way its weights ask for.

    Attributes:
        images: for each split its images, as they are.
        train: what an epoch draws from: the training images, copies included, and their targets.
        validation: ids and targets of the validation split.
        context: where and with what it is trained.
        phases: gets the time of each phase.
        on_event: told about every finished epoch.
    """

    spec: Spec
    model_file: ModelFile
    recipe: Recipe
    task: Task
    images: dict[str, Images]
    train: TrainingSet
    loss: keras.losses.Loss
    validation: ManifestPart
    context: Context
    phases: Phases
    on_event: Event

    @classmethod
    def of(
        cls,
        spec: Spec,
        model_file: ModelFile,
        task: Task,
        data: dict[str, SplitData],
        images: dict[str, Images],
        context: Context,
        phases: Phases,
        on_event: Event,
    ) -> Training:
        """The training of a spec on these images; its imbalance policy is applied here."""
        policy, targets = find_policy(spec.imbalance), data["train"].part.masked_targets
        recipe = make_recipe(spec.recipe)
        if data["train"].holds_copies:  # made by a legacy protocol, before it split
            policy = replace(policy, copy=None)
        return cls(
            spec,
            model_file,
            recipe,
            task,
            images,
            policy.training_set(images["train"], targets, spec.seed),
            MaskedCrossEntropy(
                task.exclusive,
                **policy.loss_settings(targets, task),
                label_smoothing=recipe.label_smoothing,
            ),
            data["validation"].part,
            context,
            phases,
            on_event,
        )

    @property
    def steps(self) -> int:
        """Training steps of an epoch on the images; 0 where nothing is trained by gradient."""
        batch = self.spec.micro_batch
        return steps_per_epoch(len(self.train.images), batch) if batch else 0

    @property
    def compiled_key(self) -> str:
        """What its compiled functions depend on: configuration, loss and learning rate."""
        made_of = [
            self.spec.config_id,
            self.model_file.version,
            self.steps,
            self.loss.get_config(),
        ]
        return sha256(canonical_json(made_of))


@dataclass(frozen=True)
class Trained:
    """A network with the weights of its best epoch, and what it predicts from for each split.

    Attributes:
        model: all of it, images to logits; to features, where no network says more.
        network: the part of it that predicts from ``inputs``; the same, where these are images.
        history: None where nothing was trained by gradient.
        validation: logits of the validation split, where they are known already.
        logits: of every split, where it is no network that predicts them.
        penalty: of a regression in place of the last layer.
    """

    model: keras.Model
    network: keras.Model
    inputs: dict[str, Any]
    history: History | None
    validation: np.ndarray | None
    logits: dict[str, np.ndarray] | None = None
    penalty: PenaltyFacts | None = None


def train_whole(model: keras.Model, training: Training) -> Trained:
    """Train every layer of a model on the images.

    What is trained is not ``model`` itself where the spec before has left its network, see
    :mod:`benchmark.training.compiled_cache`.
    """
    with training.phases.phase("train"):
        key, compiled = training.compiled_key, training.context.compiled
        network = compiled.begin(key, model)
        if network is None:
            network = model
            device = training.context.environment.device
            compile_model(network, training.loss, training.recipe, training.steps, device)
            compiled.keep(key, network)
        history, validation = run_stage(
            network,
            training,
            training.train,
            training.images["validation"],
            training.recipe,
            training.spec.augmentation,
        )
    return Trained(network, network, training.images, history, validation)


def run_stage(
    network: keras.Model,
    training: Training,
    train: TrainingSet,
    validation: Images,
    recipe: Recipe,
    augmentation: str,
    epochs_before: int = 0,
) -> Fitted:
    """Train what is trainable in a network and leave it with the weights of its best epoch.

    Args:
        train: images, or features (N, D) of them, and their targets.
        validation: the same of the validation split.
        recipe: of this stage.
        augmentation: name of a policy; ``"none"`` for features.
        epochs_before: epochs of earlier stages, for the progress that is shown.

    Raises:
        benchmark.training.fit.Diverged: the loss stopped being a number.
    """
    spec, heartbeat = training.spec, training.context.heartbeat
    if not network.compiled:
        device = training.context.environment.device
        compile_model(network, training.loss, recipe, training.steps, device)
    batches = partial(
        training_batches,
        train.images,
        train.targets,
        batch_size=spec.micro_batch,
        seed=spec.seed,
        augmentation=augmentation,
        order=train.order,
        epochs=recipe.epochs,
        heartbeat=heartbeat,
    )
    predict = partial(predict_logits, inputs=validation, heartbeat=heartbeat)
    by_auc = validation_auc(
        predict, training.validation.known_targets, training.task, training.loss
    )
    stage, images = f"{epochs_before:03d}", len(train.images)
    return fit_stage(network, training, stage, batches, images, by_auc, recipe, epochs_before)


def predict_splits(
    network: keras.Model,
    inputs: Mapping[str, Images],
    validation: np.ndarray | None,
    heartbeat: Heartbeat,
) -> dict[str, np.ndarray]:
    """Logits (N, F) of every split, in one pass over what is not known of ``validation`` already.

    Args:
        inputs: of each split, as :func:`predict_logits` takes them.
        validation: logits of that split; None where they are not known.
    """
    known = {} if validation is None else {"validation": validation}
    left, parts = [split for split in inputs if split not in known], replicas()
    # Batches of one split hold no image of another, so that each is computed as if alone.
    every = reduce(
        lambda before, after: before.concatenate(after),
        (evaluation_batches(inputs[split], EVALUATION_BATCH, heartbeat, parts) for split in left),
    )
    ends = np.cumsum([len(inputs[split]) + -len(inputs[split]) % parts for split in left])
    logits = np.split(np.asarray(network.predict(every, verbose=0)), ends[:-1])
    cut = (each[: len(inputs[split])] for split, each in zip(left, logits, strict=True))
    return known | dict(zip(left, cut, strict=True))


def predict_logits(
    network: keras.Model, inputs: Images, heartbeat: Heartbeat, batch: int = EVALUATION_BATCH
) -> np.ndarray:
    """Logits of uint8 images (N, S, S) or features (N, D), un-augmented, ``batch`` at a time.

    Returns:
        float32 (N, F), of a network that predicts masks (N, S, S, F).
    """
    batches = evaluation_batches(inputs, batch, heartbeat, replicas())
    return np.asarray(network.predict(batches, verbose=0))[: len(inputs)]
