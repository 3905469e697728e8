"""EfficientNet-B7 on the backbone of keras.applications."""

from __future__ import annotations

import keras

from benchmark.models._efficientnet import efficientnet

CARD = {
    "title": "EfficientNet-B7",
    "description": "EfficientNet-B0 scaled 2 times in width and 3.1 times in depth; made for 600 "
    "px.",
    "reference": "Tan and Le 2019, arXiv:1905.11946",
    "source_system": "S1",
    "inputs": "image",
    "channels": 3,
    "own_normalisation": "imagenet",
    "min_size": 32,
    "max_size": None,
    "parameters": {"size": 224, "channels": 3, "outputs": 1000, "count": 66658687},
    "gmacs_224": 5.167307712,
    "weights": {"imagenet": "Google, Apache-2.0"},
    "weight_files": ["efficientnetb7_notop.h5"],
    "deterministic": False,
}


def build(input_shape, task, weights):
    """The backbone, global average pooling, the logits."""
    return efficientnet(keras.applications.EfficientNetB7, input_shape, task, weights)
