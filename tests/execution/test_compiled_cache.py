"""A network kept for the next seed: traced once, and the same bits as a fresh one's."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from benchmark.training.compiled_cache import CompiledCache
from benchmark.training.loss import MaskedCrossEntropy
from benchmark.training.optimizer import compile_model
from benchmark.training.recipe import make_recipe

IMAGES = np.random.default_rng(0).random((32, 8, 8, 1), np.float32)
TARGETS = (np.arange(32) % 2).astype(np.float32)[:, None]
KEY = "a configuration"
RECIPES = [
    {"optimizer": "adam", "schedule": "constant", "warmup_steps": 0},
    {"optimizer": "adamw", "accumulate": 2, "clip_norm": 1.0},
    {"optimizer": "adamw", "decayed": "kernels", "ema_epochs": 1.0},
    pytest.param({"optimizer": "adam", "schedule": "cosine"}, marks=pytest.mark.slow),
    pytest.param({"optimizer": "sgd"}, marks=pytest.mark.slow),
]


class Counted(keras.layers.Layer):
    """Counts how often it was traced."""

    traced = 0

    def call(self, x):
        """The same."""
        Counted.traced += 1
        return x


def fresh(seed: int) -> keras.Model:
    """Every sort of state: weights, batch statistics, a random layer, a penalty."""
    keras.utils.set_random_seed(seed)
    images = keras.Input((8, 8, 1))
    x = keras.layers.Conv2D(4, 3, kernel_regularizer=keras.regularizers.L2(0.01))(images)
    x = keras.layers.Dropout(0.5)(keras.layers.BatchNormalization()(x))
    return keras.Model(images, keras.layers.Dense(1)(keras.layers.Flatten()(Counted()(x))))


def compiled(model: keras.Model, values: dict) -> keras.Model:
    recipe = make_recipe({"epochs": 3, "batch_size": 8} | values)
    compile_model(model, MaskedCrossEntropy(False), recipe, 4, "cpu")
    return model


def train(model: keras.Model) -> list[np.ndarray]:
    """Weights after some epochs, and what is predicted."""
    model.fit(IMAGES, TARGETS, batch_size=8, epochs=3, shuffle=False, verbose=0)
    return [*model.get_weights(), model.predict(IMAGES, verbose=0)]


@pytest.mark.parametrize("values", RECIPES, ids=lambda values: "-".join(map(str, values.values())))
def test_the_next_seed_on_a_kept_network_has_the_bits_of_a_fresh_one(values):
    expected = train(compiled(fresh(1), values))
    cache, first = CompiledCache(), compiled(fresh(0), values)
    cache.keep(KEY, first)
    others = train(first)
    kept = cache.begin(KEY, fresh(1))
    assert kept is first
    found = train(kept)
    for value, wanted in zip(found, expected, strict=True):
        np.testing.assert_array_equal(value, wanted)
    assert any((value != other).any() for value, other in zip(found, others, strict=True))


def test_it_is_traced_once_for_a_configuration():
    cache, network = CompiledCache(), compiled(fresh(0), RECIPES[0])
    cache.keep(KEY, network)
    train(network)
    following, another = fresh(1), compiled(fresh(1), RECIPES[0])  # building calls layers, too
    after_first = Counted.traced
    train(cache.begin(KEY, following))
    assert Counted.traced == after_first
    train(another)
    assert Counted.traced > after_first


def test_another_configuration_gets_nothing_and_lets_it_go():
    cache = CompiledCache()
    assert cache.begin(KEY, fresh(0)) is None
    cache.keep(KEY, compiled(fresh(0), RECIPES[0]))
    assert cache.begin("another", fresh(0)) is None
    assert cache.begin(KEY, fresh(0)) is None
