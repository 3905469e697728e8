"""Predicting all splits of a training in one pass."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from benchmark.data.heartbeat import Heartbeat
from benchmark.data.prepared import SPLITS
from benchmark.training.stage import EVALUATION_BATCH, predict_logits, predict_splits

SIZES = {"train": 2 * EVALUATION_BATCH + 3, "validation": 1, "test": EVALUATION_BATCH}


@pytest.fixture
def network() -> keras.Model:
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Conv2D(4, 3), keras.layers.Flatten(), keras.layers.Dense(3)]
    return keras.Sequential([keras.Input((8, 8, 1)), *layers])


@pytest.fixture
def images() -> dict[str, np.ndarray]:
    draw = np.random.default_rng(0)
    return {split: draw.integers(0, 256, (n, 8, 8)).astype(np.uint8) for split, n in SIZES.items()}


def test_one_pass_has_the_bits_of_one_for_each_split(network, images):
    together = predict_splits(network, images, None, Heartbeat())
    assert set(together) == set(SPLITS)
    for split in SPLITS:
        alone = predict_logits(network, images[split], Heartbeat())
        np.testing.assert_array_equal(together[split], alone)


def test_what_is_known_of_validation_is_not_predicted_again(network, images):
    known = np.full((1, 3), 7.0, np.float32)
    del images["validation"]
    logits = predict_splits(network, images, known, Heartbeat())
    assert logits["validation"] is known
    alone = predict_logits(network, images["test"], Heartbeat())
    np.testing.assert_array_equal(logits["test"], alone)
