"""What the models taken from ``keras.applications`` share."""

from __future__ import annotations

from collections.abc import Callable

import keras

from benchmark.errors import UserError
from benchmark.models._head import logits
from benchmark.task import Task


def pooled_backbone(
    application: Callable[..., keras.Model],
    input_shape: tuple[int, int, int],
    task: Task,
    weights: str | None,
) -> keras.Model:
    """A published backbone without its classifier, global average pooling and our own head.

    Args:
        application: e.g. ``keras.applications.ResNet50``.
        input_shape: (H, W, 3).
        task: the findings.
        weights: path of a weight file for the backbone without its classifier, or None.

    Raises:
        UserError: the weight file does not fit.
    """
    backbone = application(include_top=False, weights=None, input_shape=input_shape, pooling="avg")
    if weights is not None:
        try:
            backbone.load_weights(weights)
        except Exception as error:  # h5py, Keras and zipfile each have their own
            raise UserError(
                f"weight file {weights} does not fit {backbone.name} (no classifier): {error}"
            ) from error
    return keras.Model(backbone.input, logits(backbone.output, task))
