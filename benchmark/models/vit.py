"""A small Vision Transformer, to be trained from scratch on small images.

ViT-Tiny (Touvron et al. 2021, arXiv:2012.12877: 12 layers, 3 heads, width 192) with what Beyer et
al. 2022 (arXiv:2205.01580) found to serve training from scratch on smaller data: fixed positions
and the mean of all tokens instead of a class token. Without that token and with fixed positions it
has 38,016 parameters less than the 5,717,416 published for ViT-Tiny with patches of 16 px.
"""

from __future__ import annotations

import keras
from keras import layers

from benchmark.models._head import logits
from benchmark.models._vit import EPSILON, PatchPositions, encoder_block

CARD = {
    "title": "Vision Transformer (tiny)",
    "description": "Twelve layers of attention between image patches of 16 px, 8 px below 128 px.",
    "reference": "Dosovitskiy et al. 2021, arXiv:2010.11929",
    "source_system": "S2",
    "inputs": "image",
    "channels": 3,
    "own_normalisation": "minus1_1",
    "min_size": 32,
    "max_size": None,
    "parameters": {"size": 224, "channels": 3, "outputs": 1000, "count": 5679400},
    "gmacs_224": 1.246372032,
    "weights": {},
    "deterministic": False,
}

WIDTH, HEADS, DEPTH = 192, 3, 12
PATCH, SMALL_PATCH, SMALL_IMAGE = 16, 8, 128  # so that 64 px, too, are at least 64 tokens


def build(input_shape, task, weights):
    """Patches as tokens, encoder blocks, the mean token, the logits."""
    patch = SMALL_PATCH if min(input_shape[:2]) < SMALL_IMAGE else PATCH
    images = keras.Input(input_shape)
    x = layers.Conv2D(WIDTH, patch, strides=patch, padding="same", name="patches")(images)
    x = PatchPositions(name="positions")(x)
    for i in range(DEPTH):
        x = encoder_block(x, HEADS, f"block{i + 1}")
    x = layers.LayerNormalization(epsilon=EPSILON, name="norm")(x)
    x = layers.GlobalAveragePooling1D(name="features")(x)
    return keras.Model(images, logits(x, task))
