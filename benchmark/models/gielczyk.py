"""The network after Gielczyk et al. 2022 that source system S2 tried.

The paper is about what to do to the image beforehand (here a preprocessing variant) and names its
network only in a figure. The layers are those of S2's public code, "inspired" by it: four
convolutions of 64, 64, 128 and 128 filters, each with batch normalisation after its ReLU and a
pooling, one hidden layer of 512 units, dropout 0.
"""

from __future__ import annotations

import keras
from keras import layers

from benchmark.models._head import logits

CARD = {
    "title": "CNN after Gielczyk et al., as read by S2",
    "description": "Four 3x3 convolutions with batch normalisation, a hidden layer of 512 units.",
    "reference": "Gielczyk et al. 2022, doi:10.1371/journal.pone.0265949",
    "source_system": "S2",
    "inputs": "image",
    "channels": 1,
    "own_normalisation": "unit",
    "min_size": 16,
    "max_size": None,
    "parameters": {"size": 176, "channels": 1, "outputs": 6, "count": 8193990},
    "gmacs_224": 0.850985472,
    "weights": {},
    "deterministic": False,
}

WIDTHS = (64, 64, 128, 128)
HIDDEN = 512


def build(input_shape, task, weights):
    """Convolution, ReLU, batch normalisation and pooling a width, one hidden layer, the logits."""
    images = keras.Input(input_shape)
    x = images
    for width in WIDTHS:
        x = layers.Conv2D(width, 3, padding="same", activation="relu")(x)
        x = layers.MaxPooling2D()(layers.BatchNormalization()(x))
    x = layers.Dense(HIDDEN, activation="relu")(layers.Flatten()(x))
    return keras.Model(images, logits(x, task))
