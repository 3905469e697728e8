"""What the models taken from ``keras.applications`` share.

Their pooled output (B, D) comes from a layer named ``features``: everything before it is the
backbone, which published weights fill, and everything after it is the head.
"""

from __future__ import annotations

from collections.abc import Callable

import keras

from benchmark.errors import UserError
from benchmark.models._head import logits
from benchmark.task import Task

MOST_MOMENTUM = 0.99


def backbone(
    application: Callable[..., keras.Model],
    input_shape: tuple[int, int, int],
    weights: str | None,
    **options,
) -> keras.Model:
    """A published network without its classifier: images (B, H, W, 3) to ``features`` (B, D).

    Args:
        application: e.g. ``keras.applications.ResNet50``.
        input_shape: (H, W, 3).
        weights: path of a weight file for the network without its classifier, or None.
        options: for ``application``.

    Raises:
        UserError: the weight file does not fit.
    """
    network = application(
        include_top=False, weights=None, input_shape=input_shape, pooling="avg", **options
    )
    if weights is not None:
        load_weights(network, weights)
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            # At 0.999 (MobileNetV2's) the moving averages of a few hundred steps are still those of
            # the start, and a network that has learnt predicts at random. 0.99 is Keras' default.
            layer.momentum = min(layer.momentum, MOST_MOMENTUM)
    features = keras.layers.Identity(name="features")(network.output)
    return keras.Model(network.input, features, name=network.name)


def load_weights(network: keras.Model, weights: str) -> None:
    """Fill a network without classifier from a file; a UserError if it does not fit."""
    try:
        network.load_weights(weights)
    except Exception as error:  # h5py, Keras and zipfile each have their own
        raise UserError(
            f"weight file {weights} does not fit {network.name} (no classifier): {error}"
        ) from error


def pooled_backbone(
    application: Callable[..., keras.Model],
    input_shape: tuple[int, int, int],
    task: Task,
    weights: str | None,
    **options,
) -> keras.Model:
    """A published backbone, global average pooling, the logits; arguments as :func:`backbone`'s."""
    network = backbone(application, input_shape, weights, **options)
    return keras.Model(network.input, logits(network.output, task))
