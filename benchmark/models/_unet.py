"""The U-Net that the model files ``unet``, ``unet_batchnorm`` and ``unet_legacy`` share."""

from __future__ import annotations

import keras

from benchmark.task import Task

WIDTHS = (32, 64, 128)
BRIDGE = 256
DROPOUT = 0.25


def unet(
    input_shape: tuple[int, int, int],
    task: Task,
    *,
    batch_norm: bool = False,
    legacy: bool = False,
) -> keras.Model:
    """Three levels and a bridge, after Ronneberger et al. 2015 (arXiv:1505.04597).

    Two convolutions a level, max-pooling down, bilinear up, skips joined, dropout after both. A
    side that eight does not divide is extended with zeros, which are cut off again.

    Args:
        input_shape: (H, W, C).
        task: one map an output.
        batch_norm: whether a batch normalisation stands before each ReLU.
        legacy: see :func:`convolve`.

    Returns:
        float32 images (B, H, W, C) -> float32 logits (B, H, W, outputs).
    """
    images = keras.Input(input_shape)
    missing = [-side % 2 ** len(WIDTHS) for side in input_shape[:2]]
    x = keras.layers.ZeroPadding2D([(0, n) for n in missing])(images) if any(missing) else images
    skips = []
    for width in WIDTHS:
        skips.append(convolve(x, width, batch_norm, legacy))
        x = keras.layers.MaxPooling2D()(skips[-1])
        x = keras.layers.Dropout(DROPOUT)(x)
    x = convolve(x, BRIDGE, batch_norm, legacy)
    for width, skip in zip(reversed(WIDTHS), reversed(skips), strict=True):
        x = keras.layers.UpSampling2D(interpolation="bilinear")(x)
        x = keras.layers.Dropout(DROPOUT)(keras.layers.Concatenate()([x, skip]))
        x = convolve(x, width, batch_norm, legacy)
    x = keras.layers.Conv2D(task.n_outputs, 1, dtype="float32", name="logits")(x)
    if any(missing):
        x = keras.layers.Cropping2D([(0, n) for n in missing], dtype="float32")(x)
    return keras.Model(images, x)


def convolve(x, width: int, batch_norm: bool, legacy: bool):
    """Two 3x3 convolutions, the second on the first: (B, H, W, C) -> (B, H, W, width).

    The published code feeds the second one from the block's input as well (``legacy``). Nothing
    then takes what the first one gives: it is in no path from image to mask, has no gradient, and
    Keras leaves it out of the model.
    """
    first = _convolution(x, width, batch_norm)
    return _convolution(x if legacy else first, width, batch_norm)


def _convolution(x, width: int, batch_norm: bool):
    x = keras.layers.Conv2D(
        width, 3, padding="same", use_bias=not batch_norm, kernel_initializer="he_normal"
    )(x)
    if batch_norm:
        x = keras.layers.BatchNormalization()(x)
    return keras.layers.ReLU()(x)
