"""Training batches on their way to an accelerator: the next one goes there while a step computes.

On JAX Keras does it by itself. On PyTorch a batch is copied by the step that it is for.
"""

from __future__ import annotations

import keras
import tensorflow as tf

GPU = "/gpu:0"
"""TensorFlow's name of the one GPU that a worker sees."""


def is_sent_ahead(device: str) -> bool:
    """Whether :func:`sent_ahead` has batches wait on the accelerator."""
    return device == "gpu" and keras.backend.backend() == "tensorflow"


def sent_ahead(batches: tf.data.Dataset, device: str) -> tf.data.Dataset:
    """The same batches; TensorFlow copies the next one to the GPU while a step computes.

    Else the copy would wait for the step before: what runs on a GPU runs in turn.
    """
    if not is_sent_ahead(device):
        return batches
    return batches.apply(tf.data.experimental.prefetch_to_device(GPU, 1))
