"""ResNet-50 on the backbone of keras.applications."""

from __future__ import annotations

import keras

from benchmark.models._backbone import pooled_backbone

CARD = {
    "title": "ResNet-50",
    "description": "Fifty layers of bottleneck blocks with residual connections.",
    "reference": "He et al. 2016, doi:10.1109/CVPR.2016.90",
    "source_system": "S3",
    "inputs": "image",
    "channels": 3,
    "own_normalisation": "caffe",
    "min_size": 32,
    "max_size": None,
    "parameters": {"size": 224, "channels": 3, "outputs": 1000, "count": 25636712},
    "gmacs_224": 3.855927296,
    "weights": {"imagenet": "https://github.com/KaimingHe/deep-residual-networks, MIT"},
    "deterministic": False,
}


def build(input_shape, task, weights):
    """The backbone, global average pooling, the logits."""
    return pooled_backbone(keras.applications.ResNet50, input_shape, task, weights)
