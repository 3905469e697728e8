"""What the model files of the first EfficientNets share."""

from __future__ import annotations

from collections.abc import Callable

import keras

from benchmark.models._backbone import backbone
from benchmark.models._head import logits
from benchmark.task import Task


def efficientnet(
    application: Callable[..., keras.Model],
    input_shape: tuple[int, int, int],
    task: Task,
    weights: str | None,
) -> keras.Model:
    """An EfficientNet without the normalisation that keras.applications builds into it.

    That one divides by 255, subtracts the ImageNet mean and divides by its deviation (the last in
    two halves, see https://github.com/tensorflow/tensorflow/issues/49930), which is what
    ``imagenet`` of our own normalisation layer does. With both, images would be normalised twice;
    without it, every normalisation can be asked for. Published weight files hold its seven numbers,
    so it goes after they are loaded, and counts of parameters are lower by seven.

    Args and errors as of :func:`benchmark.models._backbone.backbone`.
    """
    network = backbone(application, input_shape, weights)
    first = network.get_layer("stem_conv_pad")
    return keras.Model(first.input, logits(network.output, task))
