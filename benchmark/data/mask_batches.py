"""Views of images and masks -> batches for a segmentation network.

Batch: x float32 (B, S, S, 1) in [0, 1], y float32 (B, S, S, 1): 1 lung, 0 background, -1 ignored.
Order and augmentation are keyed as in :mod:`benchmark.data.pipeline`.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import tensorflow as tf

from benchmark.data.augment import batch_key, mask_augmenter
from benchmark.data.heartbeat import Heartbeat
from benchmark.data.indexed_images import Images
from benchmark.data.parallel import parallel_map
from benchmark.data.pipeline import epoch_order, handed_over, steps_per_epoch

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
    n, batch_size = len(images), min(len(images), batch_size)
    steps = steps_per_epoch(n, batch_size)
    heartbeat = heartbeat or Heartbeat()
    order = lru_cache(maxsize=4)(lambda epoch: epoch_order(n, seed, epoch))
    augment = mask_augmenter(augmentation)

    def read(epoch: np.ndarray, batch: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        heartbeat.beat()
        rows = order(int(epoch))[batch * batch_size : (batch + 1) * batch_size]
        return images[rows], masks[rows]

    def make(step: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        epoch, batch = step // steps, step % steps
        both = tf.numpy_function(read, [epoch, batch], (tf.uint8, tf.uint8), stateful=False)
        x, mask = (tf.ensure_shape(part, (batch_size, *images.shape[1:])) for part in both)
        y = tf.where(mask == IGNORED, -1.0, tf.cast(mask == LUNG, tf.float32))
        x = tf.cast(x, tf.float32) / 255.0
        return augment(x[..., None], y[..., None], batch_key(seed, epoch, batch))

    batches = tf.data.Dataset.range(first_epoch * steps, epochs * steps)
    return handed_over(parallel_map(batches, make).prefetch(2), heartbeat)
