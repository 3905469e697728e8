"""The parts of a plain Vision Transformer."""

from __future__ import annotations

import keras
import numpy as np
from keras import layers, ops

EPSILON = 1e-6


@keras.saving.register_keras_serializable(package="cxr_bench")
class PatchPositions(layers.Layer):
    """Make tokens of a map of patches and add to each where it lies: (B, H, W, D) to (B, H*W, D).

    Fixed sines and cosines of row and column, at D/4 frequencies from 1 to 1/10,000 radians a patch
    (Beyer et al. 2022, arXiv:2205.01580). They have no weights and fit images of any size.
    """

    def call(self, patches):
        """Add the positions."""
        _, rows, columns, width = patches.shape
        tokens = ops.reshape(patches, (-1, rows * columns, width))
        return tokens + ops.cast(positions(rows, columns, width), tokens.dtype)

    def compute_output_shape(self, input_shape):
        """The input's shape with rows and columns in one axis."""
        batch, rows, columns, width = input_shape
        return (batch, rows * columns, width)


def positions(rows: int, columns: int, width: int) -> np.ndarray:
    """Position codes, float32 (rows * columns, width), ``width`` a multiple of four."""
    frequencies = 1 / 10_000 ** np.linspace(0, 1, width // 4)
    row, column = np.mgrid[:rows, :columns].reshape(2, -1, 1) * frequencies
    codes = [np.sin(column), np.cos(column), np.sin(row), np.cos(row)]
    return np.concatenate(codes, axis=1).astype(np.float32)


def encoder_block(x, heads: int, name: str):
    """Attention and a perceptron of four times the width, each normalised before and added on.

    Tokens (B, T, D) to (B, T, D).
    """
    width = x.shape[-1]
    y = layers.LayerNormalization(epsilon=EPSILON, name=f"{name}_norm1")(x)
    y = layers.MultiHeadAttention(heads, width // heads, name=f"{name}_attention")(y, y)
    x = layers.Add(name=f"{name}_add1")([x, y])
    y = layers.LayerNormalization(epsilon=EPSILON, name=f"{name}_norm2")(x)
    y = layers.Dense(4 * width, activation="gelu", name=f"{name}_dense1")(y)
    y = layers.Dense(width, name=f"{name}_dense2")(y)
    return layers.Add(name=f"{name}_add2")([x, y])
