"""Views of images and masks -> batches for a segmentation network.

Batch: x float32 (B, S, S, 1) in [0, 1], y float32 (B, S, S, 1): 1 lung, 0 background, -1 ignored.
Order and augmentation are keyed as in :mod:`benchmark.data.pipeline`.
"""

from __future__ import annotations

import tensorflow as tf

from benchmark.data.augment import mask_augmenter
from benchmark.data.heartbeat import Heartbeat
from benchmark.data.indexed_images import Images
from benchmark.data.pipeline import drawn_batches, unit_range

BACKGROUND, IGNORED, LUNG = 0, 127, 255
"""Values in a view of masks."""


def mask_batches(
    images: Images,
    masks: Images,
    *,
    batch_size: int,
    seed: int,
    augmentation: str,
    first_epoch: int = 0,
    epochs: int,
    heartbeat: Heartbeat | None = None,
) -> tf.data.Dataset:
    """Shuffled, augmented (x, y) batches of epochs ``first_epoch`` ... ``epochs - 1``.

    Args:
        images: uint8 (N, S, S).
        masks: uint8 (N, S, S) of 0 background, 127 ignored and 255 lung.
        batch_size: images per batch; N where N is smaller.
        seed: of the order and the augmentation, 0 <= seed < 2**63.
        augmentation: name of a policy that moves image and mask alike.
        first_epoch: the epoch to begin with.
        epochs: number of the epoch to end before; each has ``steps_per_epoch`` batches.
        heartbeat: beats with every batch; None where nobody listens.

    Raises:
        UnknownName: the augmentation is not one that can move a mask.
    """
    augment = mask_augmenter(augmentation)

    def finish(x: tf.Tensor, mask: tf.Tensor, key: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        y = tf.where(mask == IGNORED, -1.0, tf.cast(mask == LUNG, tf.float32))
        return augment(unit_range(x), y[..., None], key)

    return drawn_batches(
        (images, masks),
        finish,
        batch_size=batch_size,
        seed=seed,
        first_epoch=first_epoch,
        epochs=epochs,
        heartbeat=heartbeat,
    )
