"""MobileNetV2 on the backbone of keras.applications."""

from __future__ import annotations

import keras

from benchmark.models._backbone import pooled_backbone

CARD = {
    "title": "MobileNetV2",
    "description": "Inverted residuals with linear bottlenecks, made for small devices.",
    "reference": "Sandler et al. 2018, doi:10.1109/CVPR.2018.00474",
    "source_system": "S2",
    "inputs": "image",
    "channels": 3,
    "own_normalisation": "minus1_1",
    "min_size": 32,
    "max_size": None,
    "parameters": {"size": 224, "channels": 3, "outputs": 1000, "count": 3538984},
    "gmacs_224": 0.299495552,
    "weights": {"imagenet": "Google, Apache-2.0"},
    "deterministic": False,
}


def build(input_shape, task, weights):
    """The backbone, global average pooling, the logits."""
    model = pooled_backbone(keras.applications.MobileNetV2, input_shape, task, weights)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            # At its own 0.999 the moving averages of a few hundred steps are still those of the
            # start, and a network that has learnt predicts at random. 0.99 is the others' value.
            layer.momentum = 0.99
    return model
