"""The same anatomy as another machine, setting or copy shows it: grey values and sharpness change.

In the order in which it comes about: the machine's grey curve and its grain, then a copy at a lower
resolution. Amounts are drawn for each image by itself. Nothing is clipped: black and white stay,
what lies between keeps its order, and dark lungs or bright bones do not run together.

The ranges are about what copies of real images differ by. In the middle nine tenths of 800 of
Kermany's and of 400 of ChestX-ray14's images at 224 px, each beside the median of its set: mean
grey value as after a gamma of 0.66 to 1.6; standard deviation of grey values 0.69 to 1.30 times;
grain 0.002 to 0.005, at 1024 px as well; share of fine detail 0.6 to 1.5 times, and 1.6 times
between the sets, at 64 px as well; in 19 of 20 images fewer than 0.3 % of the pixels are near
white. nnU-Net (Isensee et al., Nature Methods 2021, doi:10.1038/s41592-020-01008-z) changes gamma
by 0.7 to 1.5, contrast and brightness by 0.75 to 1.25, resolution by 0.5 to 1, each in a part of
the images. What differences between machines cost: Shin et al., European Radiology Experimental
2023, doi:10.1186/s41747-023-00386-1.
"""

from __future__ import annotations

import tensorflow as tf

CARD = {
    "title": "Photometric",
    "description": "Gamma, contrast, brightness, noise, and for every third image a lower "
    "resolution and back.",
    "version": 1,
    "masks": True,
}

GAMMA = 1.4
"""Largest exponent of grey values; its inverse is the smallest. Exposures, curves of detectors."""

CONTRAST = 1.25
"""Largest slope at middle grey; its inverse is the smallest. The width of the window."""

BRIGHTNESS = 0.1
"""Largest amount added to middle grey or taken off. The level of the window."""

NOISE = 0.01
"""Largest standard deviation at middle grey. A low dose, an original of few pixels."""

RESOLUTIONS = (1.0, 0.875, 0.75, 0.625, 0.5)
"""Shares of the side that an image is reduced to. How large its original was, which sharpness tells
and which may go with the finding."""

REDUCED = 1 / 3
"""Probability that it was reduced; to which of the other shares is drawn evenly."""


def augment(
    images: tf.Tensor, masks: tf.Tensor | None, key: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor | None]:
    """Shade and reduce each image by amounts of its own; masks stay."""
    keys = tf.random.experimental.stateless_split(key, 2, alg="philox")
    draws = tf.random.stateless_uniform((5, tf.shape(images)[0]), keys[0], alg="philox")
    gamma, contrast, brightness = (2.0 * draws[k] - 1.0 for k in range(3))
    amounts = GAMMA**gamma, CONTRAST**contrast, BRIGHTNESS * brightness, NOISE * draws[3]
    reduced = (draws[4] - (1.0 - REDUCED)) / REDUCED * (len(RESOLUTIONS) - 1)
    number = tf.cast(tf.floor(reduced), tf.int32) + 1
    return reduce(shade(images, *amounts, keys[1]), tf.maximum(number, 0)), masks


def shade(
    images: tf.Tensor,
    gamma: tf.Tensor,
    contrast: tf.Tensor,
    brightness: tf.Tensor,
    noise: tf.Tensor,
    key: tf.Tensor,
) -> tf.Tensor:
    """A power of the grey values, then a sigmoid curve through middle grey, as a window has it.

    On the scale of its logits, contrast multiplies, brightness and noise are added; DICOM (PS3.3,
    C.11.2.1.3.1) has the same curve. At middle grey all are what a linear window would do; towards
    black and white they vanish.

    Args:
        images: float32 (B, S, S, 1) in [0, 1].
        gamma: (B,) exponents.
        contrast: (B,) slopes at middle grey.
        brightness: (B,) amounts added at middle grey.
        noise: (B,) standard deviations at middle grey.
        key: int64 (2,) of the noise.
    """
    gamma, contrast, brightness, noise = (
        amount[:, None, None, None] for amount in (gamma, contrast, brightness, noise)
    )
    log = gamma * tf.math.log(images)
    logit = log - tf.math.log(1.0 - tf.exp(log))
    grain = noise * _normal(tf.shape(images)[0], images.shape[1], key)
    return tf.sigmoid(contrast * logit + 4.0 * (brightness + grain))  # whose slope there is 1/4


def _normal(n: tf.Tensor, side: int, key: tf.Tensor) -> tf.Tensor:
    """Standard normal numbers (n, side, side, 1): windows, each at random, of one field.

    Drawing every pixel of a batch by itself would take longer than all the rest.
    """
    keys = tf.random.experimental.stateless_split(key, 2, alg="philox")
    field = tf.random.stateless_normal((2 * side, side), keys[0], alg="philox")
    first = tf.random.stateless_uniform((n, 1), keys[1], 0, side + 1, tf.int32, alg="philox")
    return tf.gather(field, first + tf.range(side))[..., None]


def reduce(images: tf.Tensor, number: tf.Tensor) -> tf.Tensor:
    """Each image at one of :data:`RESOLUTIONS`, by area averaging, and back, bilinear.

    Args:
        images: float32 (B, S, S, 1).
        number: int32 (B,) which of the resolutions.
    """
    side, n = images.shape[1], len(RESOLUTIONS)
    parts = tf.dynamic_partition(images, number, n)
    for k, share in enumerate(RESOLUTIONS):
        less = max(1, round(share * side))
        if less < side:
            small = tf.image.resize(parts[k], (less, less), "area")
            back = tf.image.resize(small, (side, side))
            parts[k] = tf.minimum(back, 1.0)  # averages of whites are some 1e-5 above
    places = tf.dynamic_partition(tf.range(tf.shape(images)[0]), number, n)
    return tf.ensure_shape(tf.dynamic_stitch(places, parts), images.shape)
