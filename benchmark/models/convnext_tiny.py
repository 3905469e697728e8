"""ConvNeXt-Tiny on the backbone of keras.applications."""

from __future__ import annotations

import keras

from benchmark.models._backbone import pooled_backbone

CARD = {
    "title": "ConvNeXt-Tiny",
    "description": "A convolutional network with the habits of a transformer: 7x7 depthwise, "
    "layer normalisation.",
    "reference": "Liu et al. 2022, arXiv:2201.03545",
    "source_system": "",
    "inputs": "image",
    "channels": 3,
    "own_normalisation": "imagenet",
    "min_size": 32,
    "max_size": None,
    "parameters": {"size": 224, "channels": 3, "outputs": 1000, "count": 28589128},
    "gmacs_224": 4.454764032,
    "weights": {"imagenet": "https://github.com/facebookresearch/ConvNeXt, MIT"},
    "weight_files": ["convnext_tiny_notop.h5"],
    "deterministic": False,
}


def build(input_shape, task, weights):
    """The backbone, global average pooling, layer normalisation, the logits."""
    return pooled_backbone(
        keras.applications.ConvNeXtTiny, input_shape, task, weights, include_preprocessing=False
    )
