"""Views -> batches: tf.data datasets that any Keras backend can read.

Batch: x float32 (B, S, S, 1) in [0, 1], y float32 (B, F) with -1 where a finding is not labelled.
Where a head is trained on features instead of images, x is float32 (B, D), as it was saved.

Training shuffles all indices anew every epoch. What a batch holds depends on (seed, epoch, batch
number) alone: not on the number of threads, not on where training started. Images are read from
the view batch by batch, so memory does not grow with the data set.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np
import tensorflow as tf

from benchmark.data.augment import augmenter, batch_key
from benchmark.data.heartbeat import Heartbeat
from benchmark.data.indexed_images import Images
from benchmark.data.parallel import parallel_map

_READY = 2  # batches that wait for the model; more would only take memory


def steps_per_epoch(n: int, batch_size: int) -> int:
    """Training steps per epoch: the incomplete last batch is left out, but never the only one."""
    return n // min(n, batch_size)


def training_batches(
    images: Images,
    targets: np.ndarray,
    *,
    batch_size: int,
    seed: int,
    augmentation: str = "none",
    order: Callable[[int], np.ndarray] | None = None,
    first_epoch: int = 0,
    epochs: int,
    heartbeat: Heartbeat | None = None,
) -> tf.data.Dataset:
    """Shuffled, augmented batches of epochs ``first_epoch`` ... ``epochs - 1``, one after another.

    Args:
        images: uint8 (N, S, S), usually a view's memory map; read batch by batch.
        targets: float (N, F), -1 where not labelled.
        batch_size: images per batch; N where N is smaller.
        seed: of the order and the augmentation, 0 <= seed < 2**63.
        augmentation: name of a policy, see :mod:`benchmark.data.augment`.
        order: epoch -> int (N,), the images it draws, one after another; None: every image once,
            shuffled anew (:func:`epoch_order`).
        first_epoch: the epoch to begin with; the batches are those that an uninterrupted
            training would have had from there on.
        epochs: number of the epoch to end before, as in ``keras.Model.fit``.
        heartbeat: beats with every batch; None where nobody listens.

    Returns:
        A dataset of (x, y), :func:`steps_per_epoch` batches an epoch. Without ``order`` no
        image occurs twice in an epoch; which ones the incomplete last batch leaves out changes
        from epoch to epoch.
    """
    targets = np.asarray(targets, np.float32)
    augment, is_image = augmenter(augmentation), images.dtype == np.uint8

    def finish(x: tf.Tensor, y: tf.Tensor, key: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return (augment(unit_range(x), key) if is_image else x), y

    return drawn_batches(
        (images, targets),
        finish,
        batch_size=batch_size,
        seed=seed,
        order=order,
        first_epoch=first_epoch,
        epochs=epochs,
        heartbeat=heartbeat,
    )


def drawn_batches(
    arrays: Sequence[Images],
    finish: Callable[..., tuple[tf.Tensor, tf.Tensor]],
    *,
    batch_size: int,
    seed: int,
    order: Callable[[int], np.ndarray] | None = None,
    first_epoch: int = 0,
    epochs: int,
    heartbeat: Heartbeat | None = None,
) -> tf.data.Dataset:
    """Batches of the same rows of several arrays; the rest as of :func:`training_batches`.

    Args:
        arrays: (N, ...) each, read batch by batch.
        finish: called with the rows (B, ...) of each array and the batch's key, int64 (2,); gives
            (x, y).
    """
    n = len(arrays[0])
    batch_size, steps = min(n, batch_size), steps_per_epoch(n, batch_size)
    types = [tf.as_dtype(array.dtype) for array in arrays]
    heartbeat = heartbeat or Heartbeat()
    order = lru_cache(maxsize=4)(order or (lambda epoch: epoch_order(n, seed, epoch)))

    def read(epoch: np.ndarray, batch: np.ndarray) -> list[np.ndarray]:
        heartbeat.beat()
        rows = order(int(epoch))[batch * batch_size : (batch + 1) * batch_size]
        return [array[rows] for array in arrays]

    def make(step: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        epoch, batch = step // steps, step % steps
        parts = tf.numpy_function(read, [epoch, batch], types, stateful=False)
        shaped = (
            tf.ensure_shape(part, (batch_size, *array.shape[1:]))
            for part, array in zip(parts, arrays, strict=True)
        )
        return finish(*shaped, batch_key(seed, epoch, batch))

    batches = tf.data.Dataset.range(first_epoch * steps, epochs * steps)
    return _handed_over(parallel_map(batches, make).prefetch(_READY), heartbeat)


def _handed_over(batches: tf.data.Dataset, heartbeat: Heartbeat) -> tf.data.Dataset:
    """The same (x, y) batches; each tells the heartbeat when it is handed over.

    A plain map is run by whoever asks for a batch, as soon as the batch is there.
    """

    def tell(x: tf.Tensor, y: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.control_dependencies([tf.numpy_function(heartbeat.hand_over, [], [])]):
            return tf.identity(x), tf.identity(y)

    return batches.map(tell)


def evaluation_batches(
    images: Images, batch_size: int, heartbeat: Heartbeat | None = None, multiple: int = 1
) -> tf.data.Dataset:
    """Batches of x in the order of ``images``, every image once; the last batch may be smaller.

    Args:
        images: uint8 (N, S, S), which become float32 (B, S, S, 1) in [0, 1]; or features (N, D) of
            any other type, which stay as they are.
        batch_size: images per batch.
        heartbeat: beats with every batch; None where nobody listens.
        multiple: the last batch is filled up with zeros to a multiple of it.
    """
    n, dtype = len(images), tf.as_dtype(images.dtype)
    heartbeat = heartbeat or Heartbeat()

    def read(step: np.ndarray) -> np.ndarray:
        heartbeat.beat()
        return images[step * batch_size : (step + 1) * batch_size]

    def make(step: tf.Tensor) -> tf.Tensor:
        x = tf.numpy_function(read, [step], dtype, stateful=False)
        x = tf.ensure_shape(x, (None, *images.shape[1:]))
        if multiple > 1:
            missing = -tf.shape(x)[0] % multiple
            x = tf.pad(x, [[0, missing]] + [[0, 0]] * (len(images.shape) - 1))
        return unit_range(x) if dtype == tf.uint8 else x

    steps = tf.data.Dataset.range(math.ceil(n / batch_size))
    return parallel_map(steps, make).prefetch(_READY)


def epoch_order(n: int, seed: int, epoch: int) -> np.ndarray:
    """The order of all n indices in one epoch, int64 (n,)."""
    bits = np.random.Philox(np.random.SeedSequence((seed, epoch)))
    return np.random.Generator(bits).permutation(n)


def unit_range(images: tf.Tensor) -> tf.Tensor:
    """uint8 (B, S, S) -> float32 (B, S, S, 1) in [0, 1]."""
    return tf.cast(images, tf.float32)[..., None] / 255.0
