"""The dense baseline of source system S1, which found it too simple.

S1 does not publish its widths. This funnel of 128 and 64 units is our reading: between ``linear``,
which has no hidden layer, and ``mlp``, S3's, which is eight times as wide.
"""

from __future__ import annotations

import keras
from keras import layers

from benchmark.models._head import logits

CARD = {
    "title": "Dense baseline of S1",
    "description": "Hidden layers of 128 and 64 units on the flattened image; widths are ours.",
    "reference": "Rumelhart et al. 1986, doi:10.1038/323533a0",
    "source_system": "S1",
    "inputs": "image",
    "channels": 1,
    "own_normalisation": "unit",
    "min_size": 1,
    "max_size": None,
    "parameters": {"size": 64, "channels": 1, "outputs": 1, "count": 532737},
    "gmacs_224": 0.006430784,
    "weights": {},
    "deterministic": False,
}

WIDTHS = (128, 64)


def build(input_shape, task, weights):
    """Flatten, ReLU layers of WIDTHS units, the logits."""
    images = keras.Input(input_shape)
    x = layers.Flatten()(images)
    for width in WIDTHS:
        x = layers.Dense(width, activation="relu")(x)
    return keras.Model(images, logits(x, task))
