"""The network that the model files ``thamilarasi1`` to ``thamilarasi5`` vary."""

from __future__ import annotations

import keras
from keras import layers

from benchmark.models._head import logits
from benchmark.task import Task

WIDTHS = (32, 64, 128)
L2 = 0.001


def thamilarasi(
    input_shape: tuple[int, int, int],
    task: Task,
    *,
    hidden: int = 295,
    batch_norm: bool = False,
    dropout: tuple[float, float, float] = (0.0, 0.0, 0.0),
    hidden_dropout: float = 0.0,
    l2: float = 0.0,
) -> keras.Model:
    """Three unpadded 3x3 convolutions with pooling, one hidden layer, the logits.

    After Thamilarasi and Roselin 2021 (doi:10.1088/1757-899X/1055/1/012099), as source system S0
    wrote it down.

    Args:
        input_shape: (H, W, C), H and W of 22 or more.
        hidden: units of the hidden layer.
        batch_norm: whether a batch normalisation takes the place of each bias.
        dropout: share of values dropped after each pooling; 0 for none.
        hidden_dropout: the same after the hidden layer.
        l2: weight of the squared kernels, of all layers, in the loss.
    """
    penalty = keras.regularizers.L2(l2) if l2 else None
    images = keras.Input(input_shape)
    x = images
    for width, rate in zip(WIDTHS, dropout, strict=True):
        convolution = layers.Conv2D(width, 3, use_bias=not batch_norm, kernel_regularizer=penalty)
        x = layers.MaxPooling2D()(_activated(convolution(x), batch_norm))
        x = layers.Dropout(rate)(x) if rate else x
    dense = layers.Dense(hidden, use_bias=not batch_norm, kernel_regularizer=penalty)
    x = _activated(dense(layers.Flatten()(x)), batch_norm)
    x = layers.Dropout(hidden_dropout)(x) if hidden_dropout else x
    return keras.Model(images, logits(x, task, kernel_regularizer=penalty))


def _activated(x, batch_norm: bool):
    return layers.ReLU()(layers.BatchNormalization()(x) if batch_norm else x)
