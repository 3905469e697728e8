"""Heads that are fitted to the features of a frozen backbone, without chance."""

from __future__ import annotations

import keras
import numpy as np

from benchmark.errors import UserError
from benchmark.models import NotApplicable
from benchmark.training.frozen import cut, features_of_splits
from benchmark.training.logistic import Labelled, fit_logistic
from benchmark.training.neighbours import neighbour_logits
from benchmark.training.stage import Trained, Training


def probe(model: keras.Model, training: Training) -> Trained:
    """Linear probe: the model with the regression in place of its last layer.

    Raises:
        NotApplicable: the model has other layers behind its features.
    """
    backbone, head = cut(model)
    layer = head.layers[-1]
    if len(head.layers) != 2 or not isinstance(layer, keras.layers.Dense):
        between = ", ".join(each.name for each in head.layers[1:-1])
        raise NotApplicable(
            f"model {model.name} has other layers ({between}) between its features and its logits; "
            "a linear probe is one layer. Choose scheme = frozen, which trains all of them."
        )
    features, train = _features(backbone, training)
    validation = Labelled(features["validation"], training.validation.masked_targets)
    with training.phases.phase("train"):
        beat = training.context.heartbeat.beat
        dense, penalty = fit_logistic(train, validation, training.task, beat)
        layer.set_weights([*dense])
    return Trained(model, head, features, None, None, penalty=penalty)


def ask_neighbours(model: keras.Model, training: Training) -> Trained:
    """k-nearest neighbours: the backbone, and what its features say of every split."""
    backbone, _ = cut(model)
    features, train = _features(backbone, training)
    with training.phases.phase("predict"):
        logits = {
            split: neighbour_logits(train, each, training.task) for split, each in features.items()
        }
    return Trained(backbone, backbone, features, None, None, logits=logits)


def _features(backbone: keras.Model, training: Training) -> tuple[dict[str, np.ndarray], Labelled]:
    """Those of every split, and of the training images with their targets."""
    drawn, features = features_of_splits(backbone, training)
    if not all(np.isfinite(each).all() for each in features.values()):
        raise UserError(
            f"some features of model {training.spec.model} are no finite numbers in precision "
            f"{training.spec.precision}, so no head can be fitted to them; choose float32"
        )
    return features, Labelled(drawn, training.train.targets)
