"""What ``geometric`` does, seen as ``photometric`` shows it: one resampling for all movements."""

from __future__ import annotations

import tensorflow as tf

from benchmark.data.augmentation import geometric, photometric

CARD = {
    "title": "Strong",
    "description": "Geometric, then photometric.",
    "version": 1,
    "masks": True,
}


def augment(
    images: tf.Tensor, masks: tf.Tensor | None, key: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor | None]:
    """Move images and masks, then shade and reduce the images."""
    keys = tf.random.experimental.stateless_split(key, 2, alg="philox")
    images, masks = geometric.augment(images, masks, keys[0])
    return photometric.augment(images, masks, keys[1])
