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
    "weight_files": ["mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5"],
    "deterministic": False,
}


def build(input_shape, task, weights):
    """The backbone, global average pooling, the logits."""
    return pooled_backbone(keras.applications.MobileNetV2, input_shape, task, weights)
