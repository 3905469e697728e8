"""EfficientNet-Lite: EfficientNet without squeeze-and-excitation, ReLU6 in place of swish.

After the configuration that its authors publish
(https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite): stem, head and
the number of layers in the first and last stage are the same at every scale. Stochastic depth and
dropout, with which they trained it, are left out.
"""

from __future__ import annotations

import math
import re

import keras
import numpy as np

from benchmark.errors import UserError
from benchmark.models._head import logits
from benchmark.models._torch_checkpoint import read_tensors
from benchmark.task import Task

STEM, HEAD = 32, 1280
STAGES = (
    # layers, side of the kernel, stride, expansion, channels
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
_INITIALIZER = {
    "class_name": "VarianceScaling",
    "config": {"scale": 2.0, "mode": "fan_out", "distribution": "truncated_normal"},
}
_AXES = {keras.layers.Conv2D: (2, 3, 1, 0), keras.layers.DepthwiseConv2D: (2, 3, 0, 1)}
"""Torch's axes of a kernel, (out, in, h, w) and (channels, 1, h, w), in Keras' order."""


def efficientnet_lite(
    input_shape: tuple[int, int, int],
    task: Task,
    weights: str | None,
    width: float = 1.0,
    depth: float = 1.0,
) -> keras.Model:
    """Stem, inverted bottlenecks, head, global average pooling, the logits.

    Args:
        input_shape: (H, W, 3).
        task: the findings.
        weights: path of the PyTorch port's checkpoint, whose classifier is left aside, or None.
        width: times the channels of every stage.
        depth: times the layers of every stage.

    Raises:
        UserError: the checkpoint is none, or is of another network.
    """
    images = keras.Input(input_shape)
    x = _convolution(images, STEM, 3, "conv_stem", stride=2)
    x = _active(_normed(x, "bn0"))
    block = 0
    for stage, (layers, kernel, stride, expansion, channels) in enumerate(STAGES):
        inner = 0 < stage < len(STAGES) - 1
        for layer in range(math.ceil(layers * depth) if inner else layers):
            name, first = f"blocks_{block}_", layer == 0  # PyTorch takes no dots in names
            x = _bottleneck(
                x, _scaled(channels, width), kernel, stride if first else 1, expansion, name
            )
            block += 1
    x = _active(_normed(_convolution(x, HEAD, 1, "conv_head"), "bn1"))
    x = keras.layers.GlobalAveragePooling2D()(x)
    features = keras.layers.Identity(name="features")(x)
    if weights is not None:
        _fill(keras.Model(images, features), weights)
    return keras.Model(images, logits(features, task))


def _scaled(channels: int, width: float) -> int:
    """Channels times width, as the nearest multiple of 8 that is not below nine tenths of it."""
    rounded = int(channels * width + 4) // 8 * 8
    return rounded if rounded >= 0.9 * channels * width else rounded + 8


def _bottleneck(x, channels: int, kernel: int, stride: int, expansion: int, name: str):
    """Expand, convolve each channel by itself, project, add what came in where it fits."""
    inputs, arriving = x, x.shape[-1]
    if expansion > 1:
        x = _convolution(x, arriving * expansion, 1, f"{name}expand_conv")
        x = _active(_normed(x, f"{name}bn0"))
    x = keras.layers.DepthwiseConv2D(
        kernel,
        stride,
        padding="same",
        use_bias=False,
        depthwise_initializer=_INITIALIZER,
        name=f"{name}depthwise_conv",
    )(x)
    x = _active(_normed(x, f"{name}bn1"))
    x = _normed(_convolution(x, channels, 1, f"{name}project_conv"), f"{name}bn2")
    return keras.layers.Add()([inputs, x]) if stride == 1 and channels == arriving else x


def _convolution(x, channels: int, kernel: int, name: str, stride: int = 1):
    return keras.layers.Conv2D(
        channels,
        kernel,
        stride,
        padding="same",
        use_bias=False,
        kernel_initializer=_INITIALIZER,
        name=name,
    )(x)


def _normed(x, name: str):
    return keras.layers.BatchNormalization(momentum=0.99, epsilon=1e-3, name=name)(x)


def _active(x):
    return keras.layers.ReLU(6)(x)


def _fill(backbone: keras.Model, path: str) -> None:
    """Load every tensor of a checkpoint but its classifier and its counts of batches (int64)."""
    tensors = {
        name: tensor
        for name, tensor in read_tensors(path).items()
        if tensor.dtype == np.float32 and not name.startswith("_fc.")
    }
    try:
        for layer in backbone.layers:
            if layer.weights:
                layer.set_weights(_taken(tensors, layer))
        if tensors:
            raise ValueError(f"no layer takes {', '.join([*tensors][:3])}")
    except ValueError as error:  # Keras' too, where shapes differ
        raise UserError(
            f"weight file {path} does not fit this EfficientNet-Lite: {error}"
        ) from error


def _taken(tensors: dict[str, np.ndarray], layer: keras.layers.Layer) -> list[np.ndarray]:
    """The weights of a layer in Keras' order, taken out of the tensors."""
    prefix = "_" + re.sub(r"^blocks_(\d+)_", r"blocks.\1._", layer.name)  # _blocks.0._bn1 there
    axes = _AXES.get(type(layer))
    parts = ("weight",) if axes else ("weight", "bias", "running_mean", "running_var")
    names = [f"{prefix}.{part}" for part in parts]
    if not tensors.keys() >= set(names):
        raise ValueError(f"it lacks {', '.join(names)}, or they are not float32")
    taken = [tensors.pop(name) for name in names]
    return [taken[0].transpose(axes)] if axes else taken
