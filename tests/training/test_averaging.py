"""The average of the weights: what is validated and kept, while the weights go on as they were."""

from __future__ import annotations

import os
import subprocess
import sys

import keras
import numpy as np
import pytest

from benchmark.training.averaging import averaged, ema_momentum
from benchmark.training.fit import Validated, Validation, fit
from benchmark.training.loss import MaskedCrossEntropy
from benchmark.training.optimizer import compile_model
from benchmark.training.recipe import make_recipe

RANDOM = np.random.default_rng(0)
INPUTS = RANDOM.normal(0, 1, (64, 5)).astype(np.float32)
TARGETS = (INPUTS.sum(axis=1, keepdims=True) > 0).astype(np.float32)
STEPS, EPOCHS, PART = 8, 3, 8
AVERAGED = {"ema_epochs": 0.5, "optimizer": "adamw", "learning_rate": 0.05, "schedule": "constant",
            "warmup_steps": 0}  # fmt: skip


def recipe_of(accumulate=1, **values):
    parts = {"batch_size": PART * accumulate, "accumulate": accumulate}
    return make_recipe({"epochs": EPOCHS, "patience": 9}, parts, values)


def a_network(recipe):
    keras.utils.set_random_seed(2)
    inputs = keras.Input((5,))
    hidden = keras.layers.BatchNormalization()(keras.layers.Dense(4)(inputs))
    model = keras.Model(inputs, keras.layers.Dense(1, dtype="float32")(hidden))
    compile_model(model, MaskedCrossEntropy(False), recipe, STEPS, "cpu")
    return model


def batches(first=0):
    for _ in range(first, EPOCHS):
        for start in range(0, len(INPUTS), PART):
            yield INPUTS[start : start + PART], TARGETS[start : start + PART]


def weights(model):
    values = [keras.ops.convert_to_numpy(v).ravel() for v in model.trainable_variables]
    return np.concatenate(values).astype(np.float64)


def step_by_step(recipe):
    """The averages after each epoch by the formula, of weights that nothing averages."""
    model = a_network(make_recipe(vars(recipe), {"ema_epochs": 0.0}))
    momentum = ema_momentum(recipe.ema_epochs, STEPS)
    average, after = None, []
    for step, batch in enumerate(batches()):
        model.train_on_batch(*batch)
        began = step >= recipe.accumulate  # the average begins where the first update leaves off
        average = weights(model) + began * momentum * ((average if began else 0) - weights(model))
        after += [average] if (step + 1) % STEPS == 0 else []
    return after, weights(model)


def check_what_is_validated_and_kept(accumulate):
    recipe = recipe_of(accumulate, **AVERAGED)
    expected, last = step_by_step(recipe)
    model, seen = a_network(recipe), []

    def validate(model):
        seen.append(weights(model))
        return Validated([0.1, 0.3, 0.2][len(seen) - 1])

    done = fit(model, batches, STEPS, Validation("val_auc", validate), recipe)
    assert done.history.best_epoch == 1
    np.testing.assert_allclose(seen, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(weights(model), expected[1], rtol=1e-4, atol=1e-5)
    assert np.abs(last - expected[-1]).max() > 0.01


@pytest.mark.parametrize("accumulate", [1, 2])
def test_the_average_is_validated_and_kept_and_the_weights_go_on(accumulate):
    check_what_is_validated_and_kept(accumulate)


@pytest.mark.slow
@pytest.mark.xdist_group("jax")
def test_the_average_is_the_same_on_jax():
    code = "from tests.training.test_averaging import check_what_is_validated_and_kept as check\n"
    code += "check(2); import keras; print(keras.backend.backend())"
    jax = os.environ | {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=jax, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "jax", done.stderr


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16", "mixed_float16"])
def test_at_any_precision_the_weights_are_back_after_their_average_was_looked_at(policy):
    keras.config.set_dtype_policy(policy)
    try:
        model = a_network(recipe_of(**AVERAGED))
    finally:
        keras.config.set_dtype_policy("float32")
    for batch in batches(first=EPOCHS - 1):
        model.train_on_batch(*batch)
    before = weights(model)
    with averaged(model):
        seen = weights(model)
    assert np.abs(seen - before).max() > 1e-3
    np.testing.assert_array_equal(weights(model), before)


def test_without_an_average_nothing_is_touched():
    model = a_network(recipe_of())
    before = weights(model)
    with averaged(model):
        np.testing.assert_array_equal(weights(model), before)


def test_an_average_remembers_as_many_epochs_whatever_the_size_of_the_set():
    for steps in (8, 800):
        assert ema_momentum(2.0, steps) ** (2 * steps) == pytest.approx(np.exp(-1))


def test_statistics_of_batch_normalisation_are_of_the_same_steps_as_the_average():
    """Those of the images themselves, under the averaged weights, are nearer than of late steps."""
    recipe = recipe_of(**AVERAGED | {"ema_epochs": 20.0, "learning_rate": 0.02})
    off = {}
    for momentum in (ema_momentum(20.0, STEPS), 0.99):
        model = a_network(recipe)
        normalisation = model.layers[2]
        assert normalisation.momentum == ema_momentum(20.0, STEPS) > 0.99
        normalisation.momentum = momentum
        often = np.tile(INPUTS, (100, 1)), np.tile(TARGETS, (100, 1))
        model.fit(*often, batch_size=PART, shuffle=False, verbose=0)
        exact = keras.ops.convert_to_numpy(model.layers[1](INPUTS)).mean(axis=0)
        began = momentum ** (100 * STEPS)  # at zero
        found = keras.ops.convert_to_numpy(normalisation.moving_mean) / (1 - began)
        off[momentum] = np.abs(found - exact).max()
    slow, quick = off.values()
    assert slow < quick / 2


def test_a_kept_average_is_what_a_model_in_a_model_gets_too():
    inner = keras.Sequential([keras.Input((5,)), keras.layers.BatchNormalization()])
    model = keras.Sequential([keras.Input((5,)), inner, keras.layers.Dense(1)])
    compile_model(model, MaskedCrossEntropy(False), recipe_of(ema_epochs=50.0), STEPS, "cpu")
    assert inner.layers[0].momentum == ema_momentum(50.0, STEPS)
