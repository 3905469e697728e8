"""GoogLeNet, the first Inception network, from its paper's table 1.

The paper's two local response normalisations are left out. They hold no parameters, and on inputs
of unit variance they divide by 1.00 to two decimals, at more than half again the training time.
"""

from __future__ import annotations

import keras
from keras import layers

from benchmark.models._head import logits

CARD = {
    "title": "GoogLeNet (Inception v1)",
    "description": "Nine Inception modules of parallel 1x1, 3x3 and 5x5 convolutions, 22 layers.",
    "reference": "Szegedy et al. 2015, doi:10.1109/CVPR.2015.7298594",
    "source_system": "S3",
    "inputs": "image",
    "channels": 3,
    "own_normalisation": "imagenet",
    "min_size": 32,
    "max_size": None,
    "parameters": {"size": 224, "channels": 3, "outputs": 1000, "count": 6998552},
    "gmacs_224": 1.581648896,
    "weights": {},
    "deterministic": False,
}

# Table 1: module, then the widths of 1x1, 3x3 reduction, 3x3, 5x5 reduction, 5x5, pool projection.
MODULES = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}
POOL_AFTER = ("3b", "4e")


def build(input_shape, task, weights):
    """The network without the auxiliary heads of its paper, which it drops after training."""
    images = keras.Input(input_shape)
    x = _pool(_convolution(images, 64, 7, "conv1", strides=2), "pool1")
    x = _convolution(x, 64, 1, "conv2_reduce")
    x = _convolution(x, 192, 3, "conv2")
    x = _pool(x, "pool2")
    for name, widths in MODULES.items():
        x = _inception(x, widths, f"inception_{name}")
        if name in POOL_AFTER:
            x = _pool(x, f"pool_{name}")
    x = layers.GlobalAveragePooling2D(name="average")(x)
    x = layers.Dropout(0.4, name="dropout")(x)
    return keras.Model(images, logits(x, task))


def _convolution(x, width, kernel, name, strides=1):
    # He's initialiser, later than the paper: 22 layers without batch normalisation need it.
    return layers.Conv2D(
        width,
        kernel,
        strides=strides,
        padding="same",
        activation="relu",
        kernel_initializer="he_normal",
        name=name,
    )(x)


def _pool(x, name, strides=2):
    return layers.MaxPooling2D(3, strides=strides, padding="same", name=name)(x)


def _inception(x, widths, name):
    one, three_reduce, three, five_reduce, five, projection = widths
    branches = [
        _convolution(x, one, 1, f"{name}_1x1"),
        _convolution(
            _convolution(x, three_reduce, 1, f"{name}_3x3_reduce"), three, 3, f"{name}_3x3"
        ),
        _convolution(_convolution(x, five_reduce, 1, f"{name}_5x5_reduce"), five, 5, f"{name}_5x5"),
        _convolution(_pool(x, f"{name}_pool", strides=1), projection, 1, f"{name}_projection"),
    ]
    return layers.Concatenate(name=name)(branches)
