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
    """A published network without its classifier, pooled: images (B, H, W, 3) to (B, D).

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
        _load(network, weights)
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            # At 0.999 (MobileNetV2's) the moving averages of a few hundred steps are still those of
            # the start, and a network that has learnt predicts at random. 0.99 is Keras' default.
            layer.momentum = min(layer.momentum, MOST_MOMENTUM)
    return network


def _load(network: keras.Model, weights: str) -> None:
    try:
        network.load_weights(weights)
    except Exception as error:  # h5py, Keras and zipfile each have their own
        raise UserError(
            f"weight file {weights} does not fit {network.name} (no classifier): {error}"
        ) from error


def with_head(network: keras.Model, task: Task) -> keras.Model:
    """A network that gives pooled features (B, D), with its output named and the logits on top."""
    features = keras.layers.Identity(name="features")(network.output)
    return keras.Model(network.input, logits(features, task))


def pooled_backbone(
    application: Callable[..., keras.Model],
    input_shape: tuple[int, int, int],
    task: Task,
    weights: str | None,
    **options,
) -> keras.Model:
    """A published backbone, global average pooling, the logits; arguments as :func:`backbone`'s."""
    return with_head(backbone(application, input_shape, weights, **options), task)
