"""What the model files of the first EfficientNets share."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np

from benchmark.models._backbone import backbone
from benchmark.models._head import logits
from benchmark.task import Task


def efficientnet(
    application: Callable[..., keras.Model],
    input_shape: tuple[int, int, int],
    task: Task,
    weights: str | None,
) -> keras.Model:
    """An EfficientNet whose built-in normalisation is made to change nothing.

    As built by keras.applications it divides by 255, subtracts the ImageNet mean and divides by the
    deviation (the last in two halves, see https://github.com/tensorflow/tensorflow/issues/49930),
    which is what ``imagenet`` of our own normalisation layer does. With both, images would be
    normalised twice; with ours alone, every normalisation can be asked for. The layers stay, their
    seven numbers neutral, because published weight files fill them.

    Args and errors as of :func:`benchmark.models._backbone.backbone`.
    """
    network = backbone(application, input_shape, weights)
    for layer in network.layers:
        if isinstance(layer, keras.layers.Normalization):
            channels = input_shape[-1]
            layer.set_weights([np.zeros(channels), np.ones(channels), np.array(0)])
            layer.finalize_state()  # takes what was set
        elif isinstance(layer, keras.layers.Rescaling):
            layer.scale = 1.0
    return keras.Model(network.input, logits(network.output, task))
