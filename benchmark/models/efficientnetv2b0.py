"""EfficientNetV2-B0 on the backbone of keras.applications."""

from __future__ import annotations

import keras

from benchmark.models._backbone import pooled_backbone

CARD = {
    "title": "EfficientNetV2-B0",
    "description": "EfficientNet with fused blocks in its early stages, faster to train.",
    "reference": "Tan and Le 2021, arXiv:2104.00298",
    "source_system": "",
    "inputs": "image",
    "channels": 3,
    "own_normalisation": "imagenet",
    "min_size": 32,
    "max_size": None,
    "parameters": {"size": 224, "channels": 3, "outputs": 1000, "count": 7200312},
    "gmacs_224": 0.716807456,
    "weights": {"imagenet": "https://github.com/google/automl, Apache-2.0"},
    "weight_files": ["efficientnetv2-b0_notop.h5"],
    "deterministic": False,
}


def build(input_shape, task, weights):
    """The backbone, global average pooling, the logits."""
    return pooled_backbone(
        keras.applications.EfficientNetV2B0, input_shape, task, weights, include_preprocessing=False
    )
