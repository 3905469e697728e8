"""VGG-16 on the backbone of keras.applications.

The paper's network has 138,357,544 parameters, of which 123,642,856 are in its dense layers; they
fix the image size, so that transfer learning leaves them out, here and in keras.applications.
"""

from __future__ import annotations

import keras

from benchmark.models._backbone import pooled_backbone

CARD = {
    "title": "VGG-16",
    "description": "Thirteen 3x3 convolutions in five blocks, without the paper's two dense "
    "layers of 4096.",
    "reference": "Simonyan and Zisserman 2015, arXiv:1409.1556",
    "source_system": "S2",
    "inputs": "image",
    "channels": 3,
    "own_normalisation": "caffe",
    "min_size": 32,
    "max_size": None,
    "parameters": {"size": 224, "channels": 3, "outputs": 1000, "count": 15227688},
    "gmacs_224": 15.346631168,
    "weights": {"imagenet": "https://www.robots.ox.ac.uk/~vgg/research/very_deep, CC-BY-4.0"},
    "weight_files": ["vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"],
    "deterministic": False,
}


def build(input_shape, task, weights):
    """The convolutions, global average pooling, the logits."""
    return pooled_backbone(keras.applications.VGG16, input_shape, task, weights)
