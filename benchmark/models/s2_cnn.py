"""The six-class network of source system S2.

Order and widths are S2's. That convolutions are padded and where the dropout stands, after each
pooling and after the hidden layer, are our reading.
"""

from __future__ import annotations

import keras
from keras import layers

from benchmark.models._head import logits

CARD = {
    "title": "CNN of S2",
    "description": "Four 3x3 convolutions in two blocks, 128 hidden units, dropout 0.25.",
    "reference": "LeCun et al. 1998, doi:10.1109/5.726791",
    "source_system": "S2",
    "inputs": "image",
    "channels": 1,
    "own_normalisation": "unit",
    "min_size": 4,
    "max_size": None,
    "parameters": {"size": 176, "channels": 1, "outputs": 6, "count": 32089990},
    "gmacs_224": 7.479033984,
    "weights": {},
    "deterministic": False,
}

BLOCKS = ((64, 128), (128, 128))
HIDDEN = 128
DROPOUT = 0.25


def build(input_shape, task, weights):
    """Two convolutions and a pooling a block, flatten, one hidden layer, the logits."""
    images = keras.Input(input_shape)
    x = images
    for widths in BLOCKS:
        for width in widths:
            x = layers.Conv2D(width, 3, padding="same", activation="relu")(x)
        x = layers.Dropout(DROPOUT)(layers.MaxPooling2D()(x))
    x = layers.Dense(HIDDEN, activation="relu")(layers.Flatten()(x))
    return keras.Model(images, logits(layers.Dropout(DROPOUT)(x), task))
