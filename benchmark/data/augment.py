"""Augmentation of training batches, by one of the policies in :mod:`benchmark.data.augmentation`.

Every draw is stateless, keyed by (seed, epoch, batch number), so a batch is the same whichever
thread makes it and wherever training resumed.
"""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from benchmark.data.augmentation import AXIS
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
    augment = AXIS.find(name).load()
    return lambda images, key: augment(images, None, key)[0]


def mask_augmenter(name: str) -> Callable[..., tuple[tf.Tensor, tf.Tensor]]:
    """The function (images, masks, key) -> (images, masks) of the policy called ``name``.

    Raises:
        UnknownName: there is no such policy, or it does not move masks.
    """
    policies = AXIS.discover()
    fitting = [other for other, policy in policies.items() if policy.card["masks"]]
    if name not in fitting:
        raise UnknownName("augmentation of images with masks", name, fitting)
    return policies[name].load()
