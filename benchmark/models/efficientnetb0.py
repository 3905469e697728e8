"""EfficientNet-B0 on the backbone of keras.applications."""

from __future__ import annotations

import keras

from benchmark.models._efficientnet import efficientnet

CARD = {
    "title": "EfficientNet-B0",
    "description": "The smallest of the family that scales depth, width and resolution together.",
    "reference": "Tan and Le 2019, arXiv:1905.11946",
    "source_system": "",
    "inputs": "image",
    "channels": 3,
    "own_normalisation": "imagenet",
    "min_size": 32,
    "max_size": None,
    "parameters": {"size": 224, "channels": 3, "outputs": 1000, "count": 5330571},
    "gmacs_224": 0.384536032,
    "weights": {"imagenet": "Google, Apache-2.0"},
    "weight_files": ["efficientnetb0_notop.h5"],
    "deterministic": False,
}


def build(input_shape, task, weights):
    """The backbone, global average pooling, the logits."""
    return efficientnet(keras.applications.EfficientNetB0, input_shape, task, weights)
