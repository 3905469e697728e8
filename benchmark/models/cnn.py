"""Small CNN: three convolutions, the reference that fits any machine."""

from __future__ import annotations

import keras

from benchmark.models._head import logits

CARD = {
    "title": "Small CNN (three layers)",
    "description": "Three times 3x3 convolution and 2x2 pooling, then one hidden dense layer.",
    "reference": "LeCun et al. 1998, doi:10.1109/5.726791",
    "source_system": "S3",
    "inputs": "image",
    "channels": 1,
    "own_normalisation": "imagenet",
    "min_size": 8,
    "max_size": None,
    "parameters": {"size": 64, "channels": 1, "outputs": 1, "count": 1141505},
    "gmacs_224": 0.489717888,
    "weights": {},
    "deterministic": False,
}

WIDTHS = (32, 64, 128)
HIDDEN = 128


def build(input_shape, task, weights):
    """Convolution, ReLU and pooling a width, flatten, one hidden layer, the logits."""
    images = keras.Input(input_shape)
    x = images
    for width in WIDTHS:
        x = keras.layers.Conv2D(
            width, 3, padding="same", activation="relu", kernel_initializer="he_normal"
        )(x)
        x = keras.layers.MaxPooling2D()(x)
    x = keras.layers.Flatten()(x)
    x = keras.layers.Dense(HIDDEN, activation="relu", kernel_initializer="he_normal")(x)
    return keras.Model(images, logits(x, task))
