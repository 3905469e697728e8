"""The convolutional network of source system S1: average pooling and dropout.

S1 does not publish its widths; three layers of 32, 64 and 128 filters are our reading.
"""

from __future__ import annotations

import keras
from keras import layers

from benchmark.models._head import logits

CARD = {
    "title": "CNN of S1 (average pooling)",
    "description": "Three 3x3 convolutions with average pooling and dropout; widths are ours.",
    "reference": "LeCun et al. 1998, doi:10.1109/5.726791",
    "source_system": "S1",
    "inputs": "image",
    "channels": 1,
    "own_normalisation": "unit",
    "min_size": 8,
    "max_size": None,
    "parameters": {"size": 64, "channels": 1, "outputs": 7, "count": 1142279},
    "gmacs_224": 0.489717888,
    "weights": {},
    "deterministic": False,
}

WIDTHS = (32, 64, 128)
HIDDEN = 128


def build(input_shape, task, weights):
    """Convolution, ReLU, average pooling and dropout a width, one hidden layer, the logits."""
    images = keras.Input(input_shape)
    x = images
    for width in WIDTHS:
        x = layers.Conv2D(width, 3, padding="same", activation="relu")(x)
        x = layers.Dropout(0.25)(layers.AveragePooling2D(2)(x))
    x = layers.Dense(HIDDEN, activation="relu")(layers.Flatten()(x))
    return keras.Model(images, logits(layers.Dropout(0.5)(x), task))
