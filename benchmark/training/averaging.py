"""The exponential moving average of a network's weights, which its optimizer keeps.

A step moves the weights and then their average; validation, and what is kept of a training, sees
the average in their place. Statistics of batch normalisation are averages of what was seen in
training already: they are made as slow as that of the weights, so that both are of the same steps
(Izmailov et al. 2018, arXiv:1803.05407, pass over the images once more instead, which takes a third
of the time of an epoch).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

import keras

from benchmark.training.layers import every_layer


def ema_momentum(epochs: float, steps: int) -> float:
    """What a step leaves of the average, so that after so many epochs 1/e of it is left."""
    return math.exp(-1 / (epochs * steps))


def slow_statistics(model: keras.Model, momentum: float) -> None:
    """Let no batch normalisation forget its statistics sooner than the average its weights."""
    for layer in every_layer(model):
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = max(layer.momentum, momentum)


@contextmanager
def averaged(model: keras.Model) -> Iterator[None]:
    """The average in the place of a compiled model's weights; nothing where none is kept."""
    optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)  # of float16: scaled
    if not optimizer.use_ema:
        yield
        return
    weights = model.trainable_variables
    last = [keras.ops.convert_to_numpy(weight).copy() for weight in weights]
    optimizer.finalize_variable_values(weights)
    try:
        yield
    finally:
        for weight, value in zip(weights, last, strict=True):
            weight.assign(value)
