"""Counting multiply-adds, the cost of a model that does not depend on the machine."""

from __future__ import annotations

import math

import keras


def multiply_adds(model: keras.Model) -> int:
    """Multiply-adds of one image through convolutions, dense layers and attention of a built model.

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
    if len(layer.output.shape) == 3 and not isinstance(layer, keras.layers.InputLayer):
        return _of_tokens(layer)
    return 0


def _of_tokens(layer: keras.layers.Layer) -> int:
    """A layer on tokens (B, T, D) made of others: attention, or an encoder with many of them.

    Its kernels work on each token, its attentions twice on every pair.
    """
    tokens = layer.output.shape[1]
    kernels = sum(math.prod(w.shape) for w in layer.weights if w.name == "kernel")
    inner = [layer, *layer._flatten_layers(include_self=False)]
    attentions = [x for x in inner if isinstance(x, keras.layers.MultiHeadAttention)]
    return tokens * kernels + 2 * tokens**2 * sum(x.num_heads * x.key_dim for x in attentions)
