"""Linear model on pixels, the "dense model" that a network has to beat."""

from __future__ import annotations

import keras

from benchmark.models._head import logits

CARD = {
    "title": "Linear (dense baseline)",
    "description": "Every pixel weighted once: logistic regression on the image.",
    "reference": "Cox 1958, doi:10.1111/j.2517-6161.1958.tb00292.x",
    "source_system": "S1",
    "inputs": "image",
    "channels": 1,
    "own_normalisation": "standardise",
    "min_size": 1,
    "max_size": None,
    "parameters": {"size": 64, "channels": 1, "outputs": 1, "count": 4097},
    "gmacs_224": 0.000050176,
    "weights": {},
    "deterministic": False,
}


def build(input_shape, task, weights):
    """Flatten, then the logits."""
    images = keras.Input(input_shape)
    return keras.Model(images, logits(keras.layers.Flatten()(images), task))
