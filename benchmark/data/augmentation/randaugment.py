"""RandAugment (Cubuk et al., CVPR Workshops 2020, arXiv:1909.13719) for grey images.

keras-cv is used here and nowhere else, and only for what its operations do to pixels. Its layers
draw from their own state, in which the order of parallel batches would matter; so every draw is
made here, stateless, and handed to the layers. Its colour operation is left out, a radiograph has
no colour. What comes from outside the image is black.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence

import tensorflow as tf
from keras_cv import layers

CARD = {
    "title": "RandAugment",
    "description": "Two operations an image of nine that move or shade it, of moderate strength.",
    "version": 1,
    "masks": False,
}

OPERATIONS_PER_IMAGE = 2
"""Operations applied to an image one after another, the paper's N for ResNet50 on ImageNet."""

STRENGTH = 0.3
"""Mean strength, of a scale from 0 to 1: the paper's M = 9 of 30 for ResNet50 on ImageNet."""

SPREAD = 0.15
"""Standard deviation of the strength from image to image, keras-cv's default."""

SKIP = 1 / 11
"""Probability that an operation is left out, keras-cv's default (the paper's identity)."""

# Amounts at strength 1, from AutoAugment (Cubuk et al., CVPR 2019, arXiv:1805.09501).
SHEAR = 0.3  # sideways per pixel along the other axis
SHIFT = 0.45  # of the side
CONTRAST = 0.9  # of the deviation from the mean
BRIGHTNESS = 0.9  # of the grey range; keras-cv adds where AutoAugment multiplies

Operation = Callable[[tf.Tensor, tf.Tensor, tf.Tensor], tf.Tensor]
"""(images (b, S, S, 1) in [0, 1], strength (b,) in [0, 1], sign (b,) -1 or 1) -> images."""


def augment(images: tf.Tensor, masks: None, key: tf.Tensor) -> tuple[tf.Tensor, None]:
    """Apply two operations to each image, drawn for each by itself."""
    keys = tf.random.experimental.stateless_split(key, OPERATIONS_PER_IMAGE, alg="philox")
    for slot in range(OPERATIONS_PER_IMAGE):
        images = _one_operation_each(images, OPERATIONS, keys[slot])
    return tf.clip_by_value(images, 0.0, 1.0), masks


def _one_operation_each(
    images: tf.Tensor, operations: Sequence[Operation], key: tf.Tensor
) -> tf.Tensor:
    """Apply an operation drawn for each image; the images of one operation go through together."""
    n = tf.shape(images)[0]
    keys = tf.random.experimental.stateless_split(key, 2, alg="philox")
    which, skip, side = tf.unstack(tf.random.stateless_uniform((3, n), keys[0], alg="philox"))
    chosen = tf.where(skip < SKIP, -1, tf.cast(which * len(operations), tf.int32))
    strength = tf.random.stateless_normal((n,), keys[1], STRENGTH, SPREAD, alg="philox")
    strength = tf.clip_by_value(strength, 0.0, 1.0)
    sign = tf.where(side < 0.5, -1.0, 1.0)
    for number, operation in enumerate(operations):
        images = _on_rows(operation, tf.where(chosen == number), images, strength, sign)
    return images


def _on_rows(
    operation: Operation, rows: tf.Tensor, images: tf.Tensor, *amounts: tf.Tensor
) -> tf.Tensor:
    def changed() -> tf.Tensor:
        part = operation(*(tf.gather_nd(values, rows) for values in (images, *amounts)))
        return tf.tensor_scatter_nd_update(images, rows, part)

    return tf.cond(tf.size(rows) > 0, changed, lambda: images)


# Made once, here: functions of tf.data may not create the variables that layers own. The amounts
# that layers are made with are those of their own draws, which are not used.
_GREY = {"value_range": (0.0, 1.0), "dtype": "float32", "seed": 1}
_BLACK = {"fill_mode": "constant", "fill_value": 0.0, "dtype": "float32", "seed": 1}
_STRETCH = layers.AutoContrast(**_GREY)
_EQUALISE = layers.Equalization(**_GREY)
_SOLARISE = layers.Solarization(**_GREY)
_CONTRAST = layers.RandomContrast(factor=CONTRAST, **_GREY)
_BRIGHTNESS = layers.RandomBrightness(factor=BRIGHTNESS, **_GREY)
_SHEAR = layers.RandomShear(x_factor=SHEAR, y_factor=SHEAR, **_BLACK)
_SHIFT = layers.RandomTranslation(SHIFT, SHIFT, **_BLACK)


def _stretch_contrast(images: tf.Tensor, strength: tf.Tensor, sign: tf.Tensor) -> tf.Tensor:
    return _STRETCH.augment_images(images)


def _equalise(images: tf.Tensor, strength: tf.Tensor, sign: tf.Tensor) -> tf.Tensor:
    with _quiet():  # it warns at every tracing that its histogram runs in a loop
        return _EQUALISE.augment_images(images)


def _solarise(images: tf.Tensor, strength: tf.Tensor, sign: tf.Tensor) -> tf.Tensor:
    # In grey levels 0..255: values are raised, then those above the threshold are inverted.
    strength = strength[:, None, None, None]
    amounts = {"additions": 110 * strength, "thresholds": 255 * (1 - strength)}
    return _SOLARISE.augment_images(images, amounts)


def _change_contrast(images: tf.Tensor, strength: tf.Tensor, sign: tf.Tensor) -> tf.Tensor:
    amount = CONTRAST * strength * sign
    return _CONTRAST.augment_images(images, 1 + amount[:, None, None, None])


def _change_brightness(images: tf.Tensor, strength: tf.Tensor, sign: tf.Tensor) -> tf.Tensor:
    amount = BRIGHTNESS * strength * sign
    return _BRIGHTNESS.augment_images(images, amount[:, None, None, None])


def _shear_rows(images: tf.Tensor, strength: tf.Tensor, sign: tf.Tensor) -> tf.Tensor:
    amount = (SHEAR * strength * sign)[:, None]
    return _SHEAR.augment_images(images, {"shear_x": amount, "shear_y": None})


def _shear_columns(images: tf.Tensor, strength: tf.Tensor, sign: tf.Tensor) -> tf.Tensor:
    amount = (SHEAR * strength * sign)[:, None]
    return _SHEAR.augment_images(images, {"shear_x": None, "shear_y": amount})


def _shift_right(images: tf.Tensor, strength: tf.Tensor, sign: tf.Tensor) -> tf.Tensor:
    amount = (SHIFT * strength * sign)[:, None]
    none = tf.zeros_like(amount)
    amounts = {"width_translations": amount, "height_translations": none}
    return _SHIFT.augment_images(images, amounts)


def _shift_down(images: tf.Tensor, strength: tf.Tensor, sign: tf.Tensor) -> tf.Tensor:
    amount = (SHIFT * strength * sign)[:, None]
    none = tf.zeros_like(amount)
    amounts = {"width_translations": none, "height_translations": amount}
    return _SHIFT.augment_images(images, amounts)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    logger = tf.get_logger()
    level = logger.level
    logger.setLevel("ERROR")
    try:
        yield
    finally:
        logger.setLevel(level)


OPERATIONS: list[Operation] = [
    _stretch_contrast,
    _equalise,
    _solarise,
    _change_contrast,
    _change_brightness,
    _shear_rows,
    _shear_columns,
    _shift_right,
    _shift_down,
]
"""The order is that of the draws."""
