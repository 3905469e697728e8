"""Feature extraction and fine-tuning: the head learns on features, computed once for a view.

The network of a model file has a layer ``features``, (B, D): up to it goes the backbone, what
follows is the head. Both parts share their layers with the whole model, so whatever is trained in
a part is trained in the whole.
"""

from __future__ import annotations

from dataclasses import replace

import keras
import msgspec
import numpy as np

from benchmark.data.indexed_images import Images
from benchmark.machine.environment import environment_facts
from benchmark.models import NotApplicable
from benchmark.training import VERSION
from benchmark.training.features import open_features
from benchmark.training.fit import History
from benchmark.training.layers import every_layer
from benchmark.training.network import up_to
from benchmark.training.recipe import Recipe
from benchmark.training.stage import Trained, Training, run_stage


def train_head(model: keras.Model, training: Training) -> Trained:
    """Feature extraction: train the head alone, the backbone in inference mode."""
    return _train_head(model, training, training.recipe)


def fine_tune(model: keras.Model, training: Training) -> Trained:
    """Train the head on frozen features, then every layer at a lower learning rate.

    Batch normalisation of the backbone usually stays in inference mode also then, with the
    statistics and the scales that came with its weights, as Keras' guide to transfer learning has
    it; the recipe may have it learn with the rest.
    """
    recipe = training.recipe
    first = _train_head(model, training, replace(recipe, epochs=recipe.head_epochs)).history
    assert first is not None  # of a training by gradient
    if recipe.batch_norm == "inference":
        for layer in every_layer(cut(model)[0]):
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.trainable = False
    slower = replace(recipe, learning_rate=recipe.learning_rate * recipe.finetune_factor)
    with training.phases.phase("train"):
        second, validation = run_stage(
            model,
            training,
            training.train,
            training.images["validation"],
            slower,
            training.spec.augmentation,
            epochs_before=len(first.loss),
        )
    history = History.joined({"head": first, "all layers": second})
    return Trained(model, model, training.images, history, validation)


def cut(model: keras.Model) -> tuple[keras.Model, keras.Model]:
    """The backbone, images to features with the normalisation, and the head, features to logits.

    Raises:
        NotApplicable: the model has no layer ``features``.
    """
    network = model.layers[-1]
    if "features" not in [layer.name for layer in network.layers]:
        raise NotApplicable(
            f"model {model.name} has no layer 'features', so nothing says which part of it to "
            "freeze. Choose scheme = scratch."
        )
    features = network.get_layer("features").output
    return up_to(model, features), keras.Model(features, network.outputs)


def features_of_splits(
    backbone: keras.Model, training: Training
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Features of what an epoch draws from, and of every split, float32 (N, D) each."""
    with training.phases.phase("features"):
        # The training images come first in what is drawn from; copies follow.
        drawn = _features(backbone, training, "train", training.train.images)
        inputs = {"train": drawn[: len(training.images["train"])]}
        for split in training.images.keys() - {"train"}:
            inputs[split] = _features(backbone, training, split, training.images[split])
    return drawn, inputs


def _train_head(model: keras.Model, training: Training, recipe: Recipe) -> Trained:
    backbone, head = cut(model)
    drawn, inputs = features_of_splits(backbone, training)
    train = replace(training.train, images=drawn)
    with training.phases.phase("train"):
        fitted = run_stage(head, training, train, inputs["validation"], recipe, "none")
    return Trained(model, head, inputs, *fitted)


def _features(backbone: keras.Model, training: Training, split: str, images: Images) -> np.ndarray:
    def progress(done: int, total: int) -> None:
        training.on_event({"event": "features", "split": split, "done": done, "total": total})

    spec, context = training.spec, training.context
    keys = ("resolution", "normalisation", "precision")
    made_of = {key: getattr(spec, key) for key in keys} | {
        "model": [training.model_file.name, training.model_file.version],
        "training": VERSION,
        "environment": msgspec.to_builtins(environment_facts(context.environment)),
    }
    return open_features(backbone, images, made_of, context.cache_dir, progress, context.heartbeat)
