"""Counting multiply-adds, the cost of a model that does not depend on the machine."""

from __future__ import annotations

import math

import keras


def multiply_adds(model: keras.Model) -> int:
    """Multiply-adds of one image through the convolutions and dense layers of a built model.

    Biases, normalisation, activations and pooling are not counted, as is usual in papers.
    """
    return sum(_of_layer(layer) for layer in model.layers)


def _of_layer(layer: keras.layers.Layer) -> int:
    if isinstance(layer, keras.Model):
        return multiply_adds(layer)
    if isinstance(layer, keras.layers.DepthwiseConv2D):
        kernel_height, kernel_width, _, _ = layer.kernel.shape
        return math.prod(layer.output.shape[1:]) * kernel_height * kernel_width
    if isinstance(layer, keras.layers.Conv2D | keras.layers.Dense):
        # A kernel is (..., inputs of one group, outputs): each output value sums over the rest.
        return math.prod(layer.output.shape[1:]) * math.prod(layer.kernel.shape[:-1])
    return 0
