"""Parallel maps: order, and nothing that tunes them; see benchmark/data/parallel.py for why."""

from __future__ import annotations

import time

import numpy as np
import pytest
import tensorflow as tf

from benchmark.data.decode import raw_examples
from benchmark.data.mask_batches import mask_batches
from benchmark.data.parallel import parallel_map
from benchmark.data.pipeline import evaluation_batches, training_batches

IMAGES = np.zeros((6, 8, 8), np.uint8)
TARGETS = np.zeros((6, 1), np.float32)


def later_first(number):
    """The even ones take longer."""
    time.sleep(0.01 * (1 - number % 2))
    return number


def test_elements_keep_their_order_whichever_is_ready_first():
    numbers = tf.data.Dataset.range(20)
    slowed = parallel_map(numbers, lambda n: tf.numpy_function(later_first, [n], tf.int64))
    assert list(slowed.as_numpy_iterator()) == list(range(20))


STREAMS = {
    "training": lambda: training_batches(IMAGES, TARGETS, batch_size=2, seed=0, epochs=1),
    "evaluation": lambda: evaluation_batches(IMAGES, 4),
    "splits joined": lambda: evaluation_batches(IMAGES, 4).concatenate(
        evaluation_batches(IMAGES, 4)
    ),
    "masks": lambda: mask_batches(
        IMAGES, IMAGES, batch_size=2, seed=0, augmentation="none", epochs=1
    ),
}


@pytest.mark.parametrize("stream", STREAMS)
def test_no_stream_of_batches_is_tuned(stream):
    assert STREAMS[stream]().options().autotune.enabled is False


def test_reading_what_is_prepared_is_not_tuned(tiny):
    examples = raw_examples(tiny.path, "train")
    assert examples.options().autotune.enabled is False
    assert parallel_map(examples, lambda e: e["image_id"]).options().autotune.enabled is False
