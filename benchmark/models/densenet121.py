"""DenseNet-121 on the backbone of keras.applications."""

from __future__ import annotations

import keras

from benchmark.models._backbone import pooled_backbone

CARD = {
    "title": "DenseNet-121",
    "description": "Each layer sees the features of every earlier one in its block.",
    "reference": "Huang et al. 2017, doi:10.1109/CVPR.2017.243",
    "source_system": "S4",
    "inputs": "image",
    "channels": 3,
    "own_normalisation": "imagenet",
    "min_size": 32,
    "max_size": None,
    "parameters": {"size": 224, "channels": 3, "outputs": 1000, "count": 8062504},
    "gmacs_224": 2.833138688,
    "weights": {"imagenet": "https://github.com/liuzhuang13/DenseNet, BSD-3-Clause"},
    "weight_files": ["densenet121_weights_tf_dim_ordering_tf_kernels_notop.h5"],
    "deterministic": False,
}


def build(input_shape, task, weights):
    """The backbone, global average pooling, the logits."""
    return pooled_backbone(keras.applications.DenseNet121, input_shape, task, weights)
