"""DenseNet-121 under the head of source system S0."""

from __future__ import annotations

import keras

from benchmark.models._backbone import backbone
from benchmark.models._head import logits

CARD = {
    "title": "DenseNet-121, head of S0",
    "description": "DenseNet-121 with a hidden layer of 295 units before the logits.",
    "reference": "Huang et al. 2017, doi:10.1109/CVPR.2017.243",
    "source_system": "S0",
    "inputs": "image",
    "channels": 3,
    "own_normalisation": "imagenet",
    "min_size": 32,
    "max_size": None,
    "parameters": {"size": 295, "channels": 3, "outputs": 1, "count": 7340175},
    "gmacs_224": 2.833440039,
    "weights": {"imagenet": "https://github.com/liuzhuang13/DenseNet, BSD-3-Clause"},
    "weight_files": ["densenet121_weights_tf_dim_ordering_tf_kernels_notop.h5"],
    "deterministic": False,
}


def build(input_shape, task, weights):
    """The backbone, global average pooling, 295 units with ReLU, the logits.

    S0 gave it images in [0, 1] (``unit``) and froze the backbone without loading weights.
    """
    network = backbone(keras.applications.DenseNet121, input_shape, weights)
    hidden = keras.layers.Dense(295, activation="relu")(network.output)
    return keras.Model(network.input, logits(hidden, task))
