"""EfficientNet-B6 on the backbone of keras.applications."""

from __future__ import annotations

import keras

from benchmark.models._efficientnet import efficientnet

CARD = {
    "title": "EfficientNet-B6",
    "description": "EfficientNet-B0 scaled 1.8 times in width and 2.6 times in depth; made for "
    "528 px.",
    "reference": "Tan and Le 2019, arXiv:1905.11946",
    "source_system": "S1",
    "inputs": "image",
    "channels": 3,
    "own_normalisation": "imagenet",
    "min_size": 32,
    "max_size": None,
    "parameters": {"size": 224, "channels": 3, "outputs": 1000, "count": 43265143},
    "gmacs_224": 3.357865152,
    "weights": {"imagenet": "Google, Apache-2.0"},
    "weight_files": ["efficientnetb6_notop.h5"],
    "deterministic": False,
}


def build(input_shape, task, weights):
    """The backbone, global average pooling, the logits."""
    return efficientnet(keras.applications.EfficientNetB6, input_shape, task, weights)
