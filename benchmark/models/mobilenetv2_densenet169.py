"""MobileNetV2 and DenseNet-169 side by side, their pooled features joined."""

from __future__ import annotations

import keras

from benchmark.models._backbone import backbone
from benchmark.models._head import logits
from benchmark.models._normalisation import imagenet_to_minus1_1

CARD = {
    "title": "MobileNetV2 + DenseNet-169, joined",
    "description": "The pooled features of both backbones, joined; two hidden layers.",
    "reference": "Sandler et al. 2018, doi:10.1109/CVPR.2018.00474; "
    "Huang et al. 2017, doi:10.1109/CVPR.2017.243",
    "source_system": "S2",
    "inputs": "image",
    "channels": 3,
    "own_normalisation": "imagenet",
    "min_size": 32,
    "max_size": None,
    "parameters": {"size": 224, "channels": 3, "outputs": 6, "count": 15701254},
    "gmacs_224": 3.65846016,
    "weights": {"imagenet": "Google, Apache-2.0; https://github.com/liuzhuang13/DenseNet, BSD-3"},
    "weight_files": [
        "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5",
        "densenet169_weights_tf_dim_ordering_tf_kernels_notop.h5",
    ],
    "deterministic": False,
}


HIDDEN = (256, 128)


def build(input_shape, task, weights):
    """Both backbones, their features joined, and S2's head of two hidden layers.

    Both see the same images; MobileNetV2's are turned to the -1..1 that its weights expect.
    """
    of_mobilenet, of_densenet = weights or (None, None)
    mobilenet = backbone(keras.applications.MobileNetV2, input_shape, of_mobilenet)
    densenet = backbone(keras.applications.DenseNet169, input_shape, of_densenet)
    images = keras.Input(input_shape)
    pooled = [mobilenet(imagenet_to_minus1_1(images)), densenet(images)]
    x = keras.layers.Concatenate(name="features")(pooled)
    for width in HIDDEN:
        x = keras.layers.BatchNormalization()(x)
        x = keras.layers.Dense(width, activation="relu")(x)
        x = keras.layers.Dropout(0.5)(x)
    return keras.Model(images, logits(x, task))
