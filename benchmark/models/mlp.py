"""Multilayer perceptron: two hidden layers on the raw pixels."""

from __future__ import annotations

import keras

from benchmark.models._head import logits

CARD = {
    "title": "Multilayer perceptron",
    "description": "Hidden layers of 512 and 128 units on the flattened image.",
    "reference": "Rumelhart et al. 1986, doi:10.1038/323533a0",
    "source_system": "S3",
    "inputs": "image",
    "channels": 1,
    "own_normalisation": "imagenet",
    "min_size": 1,
    "max_size": None,
    "parameters": {"size": 64, "channels": 1, "outputs": 1, "count": 2163457},
    "gmacs_224": 0.025755776,
    "weights": {},
    "deterministic": False,
}

# S3 names an MLP without its widths. These halve the image's 4096 pixels at 64 px three times,
# then twice more: the usual funnel, about 2 million parameters there.
WIDTHS = (512, 128)


def build(input_shape, task, weights):
    """Flatten, then ReLU layers of WIDTHS units, then the logits."""
    images = keras.Input(input_shape)
    x = keras.layers.Flatten()(images)
    for width in WIDTHS:
        x = keras.layers.Dense(width, activation="relu", kernel_initializer="he_normal")(x)
    return keras.Model(images, logits(x, task))
