"""Policies that are amounts: how far each image is moved and shaded, drawn for each by itself.

Flip, rotation, shift and zoom are one affine resampling (``_affine.py``); then grey values change.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import tensorflow as tf

from benchmark.data.augmentation._affine import mirror, move


@dataclass(frozen=True)
class Amounts:
    """How much of everything. Each is drawn per image, uniformly between its two limits.

    Attributes:
        flip: probability of a left-right mirror image.
        rotation: largest rotation either way, in degrees.
        shift: largest shift either way along each axis, as a fraction of the side.
        zoom: largest relative change of scale either way: 0.1 draws a scale of 0.9 ... 1.1, where
            1.1 shows everything a tenth larger.
        scale: largest factor by which everything is larger or smaller; as often the one as the
            other, so evenly on a logarithmic scale.
        aspect: largest factor by which everything is wider or taller in shape, of the same size;
            drawn as ``scale`` is.
        brightness: largest amount added or taken off, in units of the full grey range.
        contrast: largest relative change of the deviation from the image's mean, either way.
    """

    flip: float = 0.0
    rotation: float = 0.0
    shift: float = 0.0
    zoom: float = 0.0
    scale: float = 1.0
    aspect: float = 1.0
    brightness: float = 0.0
    contrast: float = 0.0

    @property
    def resamples(self) -> bool:
        """Whether pixels move to places between those of the input."""
        return any((self.rotation, self.shift, self.zoom, self.scale != 1, self.aspect != 1))

    @property
    def shades(self) -> bool:
        """Whether grey values change."""
        return any((self.brightness, self.contrast))


def varied(amounts: Any) -> Callable:
    """The ``augment`` of a policy that is these amounts, those of its card, and no more."""
    return partial(vary, Amounts(**amounts))


def vary(
    amounts: Amounts, images: tf.Tensor, masks: tf.Tensor | None, key: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor | None]:
    """Apply amounts to a batch; masks make the same moves as their images and are not shaded.

    A moved pixel of a mask is what at least half of it is; what comes from outside the image is
    background. The other arguments are those of every policy's ``augment``.
    """
    keys = tf.random.experimental.stateless_split(key, 2, alg="philox")
    moves = _draw_moves(amounts, tf.shape(images)[0], keys[0])
    if masks is None:
        images = _moved(amounts, images, moves)
    else:
        values = [tf.cast(masks == value, tf.float32) for value in (1.0, -1.0)]
        planes = _moved(amounts, tf.concat([images, *values], axis=-1), moves)
        images, lung, ignored = tf.split(planes, 3, axis=-1)
        masks = tf.where(ignored >= 0.5, -1.0, tf.cast(lung >= 0.5, tf.float32))
    if amounts.shades:
        images = _shade(images, amounts, keys[1])
    return images, masks


def _moved(amounts: Amounts, planes: tf.Tensor, moves: tuple[tf.Tensor, ...]) -> tf.Tensor:
    if amounts.resamples:
        return move(planes, *moves)
    return mirror(planes, moves[0]) if amounts.flip else planes


def _draw_moves(amounts: Amounts, n: tf.Tensor, key: tf.Tensor) -> tuple[tf.Tensor, ...]:
    draws = tf.random.stateless_uniform((7, n), key, -1.0, 1.0, alg="philox")
    mirrored = tf.cast(draws[0] < 2.0 * amounts.flip - 1.0, tf.float32)
    scale = (1.0 + amounts.zoom * draws[4]) * amounts.scale ** draws[5]
    wider = amounts.aspect ** (draws[6] / 2.0)
    return (
        mirrored,
        amounts.rotation * draws[1],
        amounts.shift * draws[2],
        amounts.shift * draws[3],
        scale * wider,
        scale / wider,
    )


def _shade(images: tf.Tensor, amounts: Amounts, key: tf.Tensor) -> tf.Tensor:
    """Stretch grey values about each image's mean, add an offset, clip to [0, 1]."""
    draws = tf.random.stateless_uniform(
        (2, tf.shape(images)[0], 1, 1, 1), key, -1.0, 1.0, alg="philox"
    )
    gain, offset = 1.0 + amounts.contrast * draws[0], amounts.brightness * draws[1]
    mean = tf.reduce_mean(images, axis=(1, 2, 3), keepdims=True)
    return tf.clip_by_value(images * gain + (mean * (1.0 - gain) + offset), 0.0, 1.0)
