"""Augmentation: what is varied at random in a training batch, by one of the policies.

Tensor contract: float32 (B, S, S, 1) in [0, 1] in and out. Every draw is stateless, keyed by
(seed, epoch, batch number), so a batch is the same whichever thread makes it and wherever training
resumed. Flip, rotation, shift and zoom are one affine resampling, bilinear; what comes from
outside the image is black, as beyond a collimator's edge: reflecting would invent anatomy.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import tensorflow as tf

from benchmark.data.augmentation_policies import (
    CHOICES,
    POLICIES,
    RANDAUGMENT,
    Augmentation,
)
from benchmark.errors import UnknownName


def batch_key(seed: int, epoch: tf.Tensor, batch: tf.Tensor) -> tf.Tensor:
    """The key of all draws for one batch, int64 (2,)."""
    key = tf.constant([seed, 0], tf.int64)
    for number in (epoch, batch):
        key = tf.random.experimental.stateless_fold_in(key, tf.cast(number, tf.int64), alg="philox")
    return key


def augmenter(name: str) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
    """The function (images, key) -> images of the policy called ``name``.

    Raises:
        UnknownName: there is no such policy; lists the choices.
    """
    if name == RANDAUGMENT:
        from benchmark.data.randaugment import randaugment  # keras-cv, slow to import

        return randaugment()
    if name not in POLICIES:
        raise UnknownName("augmentation", name, CHOICES)
    return partial(augment, POLICIES[name])


def augment(policy: Augmentation, images: tf.Tensor, key: tf.Tensor) -> tf.Tensor:
    """Apply a policy to a batch.

    Args:
        policy: what to vary.
        images: float32 (B, S, S, 1) in [0, 1].
        key: int64 (2,), see :func:`batch_key`; equal keys, equal results.
    """
    keys = tf.random.experimental.stateless_split(key, 2, alg="philox")
    moves = _draw_moves(policy, tf.shape(images)[0], keys[0])
    if policy.resamples:
        images = move(images, *moves)
    elif policy.flip:
        images = _mirror(images, moves[0])
    if policy.shades:
        images = _shade(images, policy, keys[1])
    return images


def augment_pair(
    policy: Augmentation, images: tf.Tensor, masks: tf.Tensor, key: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Apply a policy to a batch and its masks: both make the same moves, images alone are shaded.

    Args:
        policy: what to vary.
        images: float32 (B, S, S, 1) in [0, 1].
        masks: float32 (B, S, S, 1): 1 lung, 0 background, -1 ignored. A moved pixel is what at
            least half of it is; what comes from outside the image is background.
        key: int64 (2,), see :func:`batch_key`.
    """
    keys = tf.random.experimental.stateless_split(key, 2, alg="philox")
    moves = _draw_moves(policy, tf.shape(images)[0], keys[0])
    values = [tf.cast(masks == value, tf.float32) for value in (1.0, -1.0)]
    planes = tf.concat([images, *values], axis=-1)
    if policy.resamples:
        planes = move(planes, *moves)
    elif policy.flip:
        planes = tf.where(moves[0][:, None, None, None] > 0, tf.reverse(planes, [2]), planes)
    images, lung, ignored = tf.split(planes, 3, axis=-1)
    if policy.shades:
        images = _shade(images, policy, keys[1])
    return images, tf.where(ignored >= 0.5, -1.0, tf.cast(lung >= 0.5, tf.float32))


def move(
    images: tf.Tensor,
    mirrored: tf.Tensor,
    degrees: tf.Tensor,
    down: tf.Tensor,
    right: tf.Tensor,
    scale: tf.Tensor,
) -> tf.Tensor:
    """Mirror, then scale and rotate about the centre, then shift, in one bilinear resampling.

    Args:
        images: float32 (B, S, S, 1).
        mirrored: (B,) 1.0 for a left-right mirror image, else 0.0.
        degrees: (B,) rotation, counter-clockwise on the screen.
        down: (B,) shift as a fraction of the side.
        right: (B,) shift as a fraction of the side.
        scale: (B,) magnification.
    """
    side = images.shape[1]
    angle = degrees * (math.pi / 180.0)
    cos, sin = tf.cos(angle) / scale, tf.sin(angle) / scale
    sign = 1.0 - 2.0 * mirrored
    a, b, c, d = sign * cos, -sign * sin, sin, cos
    # Output pixel (x, y) shows the input at centre + M (x - centre - shift).
    centre = (side - 1) / 2.0
    x, y = centre + right * side, centre + down * side
    zero = tf.zeros_like(a)
    matrix = [a, b, centre - a * x - b * y, c, d, centre - c * x - d * y, zero, zero]
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=tf.stack(matrix, axis=1),
        output_shape=[side, side],
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="CONSTANT",
    )


def _mirror(images: tf.Tensor, mirrored: tf.Tensor) -> tf.Tensor:
    """What ``move`` does with mirroring alone, the same bits at a tenth of the cost."""
    planes = images[..., 0]  # reversing is seven times faster without the channel axis
    return tf.where(mirrored[:, None, None] > 0, tf.reverse(planes, [2]), planes)[..., None]


def _draw_moves(policy: Augmentation, n: tf.Tensor, key: tf.Tensor) -> tuple[tf.Tensor, ...]:
    draws = tf.random.stateless_uniform((5, n), key, -1.0, 1.0, alg="philox")
    mirrored = tf.cast(draws[0] < 2.0 * policy.flip - 1.0, tf.float32)
    return (
        mirrored,
        policy.rotation * draws[1],
        policy.shift * draws[2],
        policy.shift * draws[3],
        1.0 + policy.zoom * draws[4],
    )


def _shade(images: tf.Tensor, policy: Augmentation, key: tf.Tensor) -> tf.Tensor:
    """Stretch grey values about each image's mean, add an offset, clip to [0, 1]."""
    draws = tf.random.stateless_uniform(
        (2, tf.shape(images)[0], 1, 1, 1), key, -1.0, 1.0, alg="philox"
    )
    gain, offset = 1.0 + policy.contrast * draws[0], policy.brightness * draws[1]
    mean = tf.reduce_mean(images, axis=(1, 2, 3), keepdims=True)
    return tf.clip_by_value(images * gain + (mean * (1.0 - gain) + offset), 0.0, 1.0)
