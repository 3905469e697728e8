"""RandAugment (Cubuk et al., CVPR Workshops 2020, arXiv:1909.13719) for grey images.

keras-cv is used here and nowhere else, and only for what its operations do to pixels. Its layers
draw from their own state, in which the order of parallel batches would matter; so every draw is
made here, stateless, and handed to the layers. The amounts follow keras-cv's policy; its colour
operation is left out, a radiograph has no colour. What comes from outside the image is black.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence

import tensorflow as tf

OPERATIONS_PER_IMAGE = 2
"""Operations applied to an image one after another, the paper's N for ResNet50 on ImageNet."""

MAGNITUDE = 0.3
"""Strength on a scale of 0 to 1, the paper's M = 9 of 30 for ResNet50 on ImageNet."""

SPREAD = 0.15
"""Standard deviation of the strength where it is drawn from a normal distribution."""

SKIP = 1 / 11
"""Probability that an operation is left out: the paper's identity operation among eleven."""

Augment = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
Operation = Callable[[tf.Tensor, tf.Tensor, tf.Tensor], tf.Tensor]


def randaugment() -> Augment:
    """A function (images, key) -> images.

    ``images`` is float32 (B, S, S, 1) in [0, 1], ``key`` int64 (2,); equal keys, equal results. To
    be called outside of tf.data functions, which may not create the variables that layers own.
    """
    operations = _operations()

    def apply(images: tf.Tensor, key: tf.Tensor) -> tf.Tensor:
        keys = tf.random.experimental.stateless_split(key, OPERATIONS_PER_IMAGE, alg="philox")
        for slot in range(OPERATIONS_PER_IMAGE):
            images = _one_operation_each(images, operations, keys[slot])
        return tf.clip_by_value(images, 0.0, 1.0)

    return apply


def _one_operation_each(
    images: tf.Tensor, operations: Sequence[Operation], key: tf.Tensor
) -> tf.Tensor:
    """Apply an operation drawn for each image; the images of one operation go through together."""
    n = tf.shape(images)[0]
    keys = tf.random.experimental.stateless_split(key, 3, alg="philox")
    which, skip = tf.unstack(tf.random.stateless_uniform((2, n), keys[0], alg="philox"))
    chosen = tf.where(skip < SKIP, -1, tf.cast(which * len(operations), tf.int32))
    # One uniform and one normal amount an image, whatever the operation makes of them.
    even = tf.random.stateless_uniform((n,), keys[1], -1.0, 1.0, alg="philox")
    normal = tf.random.stateless_normal((n,), keys[2], MAGNITUDE, SPREAD, alg="philox")
    for number, operation in enumerate(operations):
        rows = tf.where(chosen == number)
        images = _on_rows(operation, images, rows, even, tf.clip_by_value(normal, 0.0, 1.0))
    return images


def _on_rows(
    operation: Operation, images: tf.Tensor, rows: tf.Tensor, even: tf.Tensor, normal: tf.Tensor
) -> tf.Tensor:
    def changed():
        part = operation(*(tf.gather_nd(values, rows) for values in (images, even, normal)))
        return tf.tensor_scatter_nd_update(images, rows, part)

    return tf.cond(tf.size(rows) > 0, changed, lambda: images)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    logger = tf.get_logger()
    level = logger.level
    logger.setLevel("ERROR")
    try:
        yield
    finally:
        logger.setLevel(level)


def _operations() -> list[Operation]:
    """Operations (images, even, normal) -> images; ``even`` in [-1, 1], ``normal`` in [0, 1]."""
    from keras_cv import layers  # heavy, and wanted by this policy only

    grey = {"value_range": (0.0, 1.0), "dtype": "float32"}
    place = {"fill_mode": "constant", "dtype": "float32", "seed": 1}
    contrast_stretch = layers.AutoContrast(**grey)
    equalisation = layers.Equalization(**grey)
    solarisation = layers.Solarization(**grey)
    contrast = layers.RandomContrast(factor=MAGNITUDE, **grey)
    brightness = layers.RandomBrightness(factor=MAGNITUDE, **grey)
    shear = layers.RandomShear(x_factor=MAGNITUDE, y_factor=MAGNITUDE, **place)
    shift = layers.RandomTranslation(MAGNITUDE, MAGNITUDE, **place)

    def column(amount):
        return amount[:, None]

    def per_image(amount):
        return amount[:, None, None, None]

    def equalise(images, even, normal):
        with _quiet():  # it warns at every tracing that its histogram runs in a loop
            return equalisation.augment_images(images)

    def solarise(images, even, normal):
        # The grey level above which values are inverted falls as values are raised, both in 0..255.
        amounts = {"additions": 110 * per_image(normal), "thresholds": 255 * per_image(1 - normal)}
        return solarisation.augment_images(images, amounts)

    def shear_along(axis):
        def apply(images, even, normal):
            amounts = {"shear_x": None, "shear_y": None, axis: column(tf.sign(even) * normal)}
            return shear.augment_images(images, amounts)

        return apply

    def shift_along(axis):
        def apply(images, even, normal):
            none = tf.zeros_like(column(even))
            amounts = {"height_translations": none, "width_translations": none}
            amounts[axis] = MAGNITUDE * column(even)
            return shift.augment_images(images, amounts)

        return apply

    return [
        lambda images, even, normal: contrast_stretch.augment_images(images),
        equalise,
        solarise,
        lambda images, even, normal: contrast.augment_images(
            images, 1 + MAGNITUDE * per_image(even)
        ),
        lambda images, even, normal: brightness.augment_images(images, MAGNITUDE * per_image(even)),
        shear_along("shear_x"),
        shear_along("shear_y"),
        shift_along("width_translations"),
        shift_along("height_translations"),
    ]
