"""ViT-B/16 through KerasHub, an extra, for its pretrained weights.

The weights are the ``model.weights.h5`` of the preset ``vit_base_patch16_224_imagenet``
(https://www.kaggle.com/models/keras/vit), which is to be saved under the name in the card. Their
positions are those of images of 224 px. From random weights any multiple of 16 px will do.
"""

from __future__ import annotations

import keras
from keras_hub.models import ViTBackbone

from benchmark.models import NotApplicable
from benchmark.models._backbone import load_weights
from benchmark.models._head import logits

CARD = {
    "title": "Vision Transformer (base, KerasHub)",
    "description": "Twelve layers of attention between image patches of 16 px and a class token.",
    "reference": "Dosovitskiy et al. 2021, arXiv:2010.11929",
    "source_system": "S2",
    "inputs": "image",
    "channels": 3,
    "own_normalisation": "minus1_1",
    "min_size": 32,
    "max_size": None,
    "parameters": {"size": 224, "channels": 3, "outputs": 1000, "count": 86567656},
    "gmacs_224": 17.563650816,
    "weights": {"imagenet": "Google by way of Kaggle, Apache-2.0"},
    "weight_files": ["vit_base_patch16_224_imagenet.weights.h5"],
    "packages": {"keras_hub": "pip install 'cxr-bench[keras_hub]'"},
    "deterministic": False,
}

PATCH = 16


def build(input_shape, task, weights):
    """The backbone, its class token, the logits.

    Raises:
        NotApplicable: patches do not fill the image.
    """
    if input_shape[0] % PATCH:
        raise NotApplicable(
            f"model vit_keras_hub takes images whose side is a multiple of {PATCH} px, "
            f"not {input_shape[0]} px."
        )
    backbone = ViTBackbone(
        image_shape=input_shape,
        patch_size=PATCH,
        num_layers=12,
        num_heads=12,
        hidden_dim=768,
        mlp_dim=3072,
        name="vit_base_patch16",
    )
    if weights is not None:
        load_weights(backbone, weights)
    images = keras.Input(input_shape)
    tokens = backbone(images)  # whole, because only then can Keras save its layers
    features = keras.layers.Identity(name="features")(tokens[:, 0])
    return keras.Model(images, logits(features, task))
