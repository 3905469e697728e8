from __future__ import annotations

from dataclasses import replace

import keras
import msgspec
import numpy as np
import pytest

from benchmark.data.pipeline import steps_per_epoch, training_batches
from benchmark.task import Task
from benchmark.training.fit import (
    Diverged,
    Validated,
    Validation,
    fit,
    validation_auc,
)
from benchmark.training.loss import MaskedCrossEntropy
from benchmark.training.optimizer import compile_model, learning_rate
from benchmark.training.recipe import make_recipe
from tests.training.compiled import compiled

TASK = Task(("Mass",), "binary")


def small_model():
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(1, name="logits")]
    )
    return model


def data(n=48):
    rng = np.random.default_rng(1)
    targets = (np.arange(n) % 2).astype(np.float32)[:, None]
    images = rng.integers(0, 60, (n, 8, 8)) + (targets[:, :, None] * 60)
    return images.astype(np.uint8), targets


UNCHANGING = Validation("val_auc", lambda model: Validated(0.5))


def run(validate, score_name="val_auc", **values):
    recipe = make_recipe({"epochs": 6, "patience": 2, "batch_size": 16, "warmup_steps": 0}, values)
    images, targets = data()
    model = compiled(small_model, recipe, steps_per_epoch(len(images), 16))
    seen = []
    batches = training_batches(
        images, targets, batch_size=16, seed=0, augmentation="none", epochs=recipe.epochs
    )
    history, predictions = fit(
        model,
        lambda epoch: batches,
        steps_per_epoch(len(images), 16),
        Validation(score_name, validate),
        recipe,
        lambda epoch, epochs, values: seen.append((epoch, epochs, values)),
    )
    return model, history, seen, predictions


def scripted(values):
    """A validation that returns the given AUCs and keeps the weights it saw."""
    weights, left = [], list(values)

    def validate(model):
        weights.append([w.copy() for w in model.get_weights()])
        return Validated(left.pop(0))

    return validate, weights


def test_the_best_epoch_is_kept_and_patience_stops():
    validate, weights = scripted([0.6, 0.8, 0.7, 0.75, 0.9])
    model, history, seen, _ = run(validate)
    assert history.val_score == [0.6, 0.8, 0.7, 0.75]
    assert history.best_epoch == 1
    for kept, best in zip(model.get_weights(), weights[1], strict=True):
        np.testing.assert_array_equal(kept, best)
    assert [told[:2] for told in seen] == [(1, 6), (2, 6), (3, 6), (4, 6)]


@pytest.mark.parametrize("name", ["val_auc", "val_dice"])
def test_a_score_is_told_and_stored_under_the_name_that_its_validation_gives(name):
    validate, _ = scripted([0.6, 0.8])
    _, history, seen, _ = run(validate, name, epochs=2)
    assert [told[2] for told in seen] == [
        {"loss": loss, name: score} for loss, score in zip(history.loss, [0.6, 0.8], strict=True)
    ]
    record = history.as_record()
    stored = {each: getattr(record, each) for each in ("val_auc", "val_dice")}
    assert stored == {"val_auc": None, "val_dice": None} | {name: [0.6, 0.8]}


def test_the_predictions_of_the_best_epoch_are_kept():
    left = iter([0.6, 0.8, 0.7, 0.75])

    def validate(model):
        score = next(left)
        return Validated(score, predictions=np.array([score]))

    assert run(validate)[3] == 0.8


def test_the_first_of_equal_epochs_is_the_best():
    validate, _ = scripted([0.5, 0.9, 0.9, 0.9])
    assert run(validate)[1].best_epoch == 1


def test_an_undefined_auc_counts_as_the_worst():
    validate, _ = scripted([None, 0.4, None, None])
    assert run(validate)[1].best_epoch == 1


def test_where_no_epoch_has_an_auc_the_loss_decides():
    left = iter([0.9, 0.5, 0.7, 0.6, None])
    _, history, _, _ = run(lambda model: Validated(None, next(left)))
    assert history.best_epoch == 1
    assert len(history.loss) == 4  # patience counts from the best one


def test_training_learns_and_the_history_is_plain_values():
    images, targets = data()
    unknown = np.where(np.arange(len(targets)) < 4, np.nan, targets[:, 0])[:, None]

    def predict(model):
        return model.predict(images[..., None] / np.float32(255), verbose=0)

    by_auc = validation_auc(predict, unknown, TASK, MaskedCrossEntropy(False))
    model, history, _, kept = run(by_auc.validate, by_auc.score_name, learning_rate=0.05)
    np.testing.assert_array_equal(kept, predict(model))
    logits = kept[4:, 0].astype(float)
    entropy = np.log1p(np.exp(-logits * (2 * targets[4:, 0] - 1)))
    assert history.val_loss[history.best_epoch] == pytest.approx(entropy.mean(), rel=1e-5)
    assert history.loss[-1] < history.loss[0]
    assert max(history.val_score) > 0.95
    record = msgspec.to_builtins(history.as_record())
    assert {key for key, value in record.items() if value is not None} == {
        "loss", "val_auc", "val_loss", "best_epoch"
    }  # fmt: skip
    assert msgspec.json.decode(msgspec.json.encode(record)) == record


def test_a_loss_that_is_no_number_ends_with_its_reason():
    def spoil(model):
        weight = model.weights[0]
        weight.assign(np.full(weight.shape, np.nan))
        return Validated(0.5)

    with pytest.raises(Diverged, match="loss became nan in epoch 2"):
        run(spoil)


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd"])
def test_every_optimizer_trains(optimizer):
    _, history, *_ = run(lambda model: Validated(0.5), optimizer=optimizer, epochs=1)
    assert np.isfinite(history.loss).all()


def rates(steps, n, **values):
    schedule = learning_rate(make_recipe(values), steps)
    return [float(schedule(step)) for step in range(n)]


def test_the_rate_rises_linearly_then_falls_as_a_cosine():
    got = rates(100, 1000, epochs=10, learning_rate=0.1, warmup_steps=50)
    np.testing.assert_allclose(got[:51], 0.1 * np.arange(51) / 50, atol=1e-6)
    expected = 0.1 * 0.5 * (1 + np.cos(np.pi * np.arange(950) / 950))
    np.testing.assert_allclose(got[50:], expected, atol=1e-6)


def test_a_constant_rate_stays_after_the_warm_up():
    got = rates(10, 50, epochs=5, schedule="constant", learning_rate=0.1, warmup_steps=4)
    np.testing.assert_allclose(got[4:], 0.1, rtol=1e-6)
    constant = make_recipe({"schedule": "constant", "warmup_steps": 0, "learning_rate": 0.1})
    assert learning_rate(constant, 10) == 0.1


def test_the_warm_up_takes_at_most_a_tenth():
    assert rates(2, 3, epochs=10, learning_rate=0.1, warmup_steps=100)[2] == pytest.approx(0.1)


def test_the_warm_up_may_be_a_share_of_all_updates():
    values = {"epochs": 10, "learning_rate": 0.1, "warmup_share": 0.3, "warmup_steps": 7}
    got = rates(20, 201, **values)
    np.testing.assert_allclose(got[:61], 0.1 * np.arange(61) / 60, atol=1e-6)
    assert got[200] == pytest.approx(0.0, abs=1e-8)
    parts = rates(80, 201, batch_size=32, accumulate=4, **values)
    np.testing.assert_allclose(parts, got)


def test_a_loss_that_is_no_number_is_noticed_long_before_a_long_epoch_ends(monkeypatch):
    monkeypatch.setattr("benchmark.training.fit.CHECK_EVERY", 4)
    drawn = []

    def order(epoch):
        return np.arange(96)

    images, targets = data(96)
    model, recipe = small_model(), make_recipe({"batch_size": 2})
    compile_model(model, CountedLoss(drawn, bad_from=10), recipe, 48, "cpu")
    model.run_eagerly = True
    batches = training_batches(images, targets, batch_size=2, seed=0, order=order, epochs=10)
    with pytest.raises(Diverged, match="loss became nan in epoch 1"):
        fit(model, lambda epoch: batches, 48, UNCHANGING, recipe)
    assert len(drawn) == 12


class CountedLoss(keras.losses.Loss):
    """A loss that is not a number from one of its batches on."""

    def __init__(self, seen, bad_from):
        super().__init__(reduction=None)
        self.seen, self.bad_from = seen, bad_from

    def call(self, y_true, y_pred):
        self.seen.append(1)
        bad = float("nan") if len(self.seen) == self.bad_from else 1.0
        return keras.ops.mean(y_pred) * bad


def one_step(rows, batch_size=8, **values):
    """How far one pass over these images moves the weights, all of them in one vector."""
    images, targets = data()
    recipe = make_recipe(
        {"optimizer": "sgd", "schedule": "constant", "warmup_steps": 0, "epochs": 1},
        {"batch_size": batch_size, "learning_rate": 1.0},
        values,
    )
    steps = len(rows) // recipe.micro_batch
    model = compiled(small_model, recipe, steps)
    before = np.concatenate([w.ravel() for w in model.get_weights()])
    batches = training_batches(
        images[rows], targets[rows], batch_size=recipe.micro_batch, seed=0, epochs=1
    )
    fit(model, lambda epoch: batches, steps, UNCHANGING, recipe)
    return np.concatenate([w.ravel() for w in model.get_weights()]) - before


def test_clipping_shortens_the_gradient_and_keeps_its_direction():
    rows = np.arange(8)
    free, clipped = one_step(rows), one_step(rows, clip_norm=0.01)
    assert np.linalg.norm(free) > 0.1
    assert np.linalg.norm(clipped) == pytest.approx(0.01, rel=1e-3)
    np.testing.assert_allclose(clipped / 0.01, free / np.linalg.norm(free), atol=1e-3)
    np.testing.assert_array_equal(one_step(rows, clip_norm=100.0), free)


@pytest.mark.parametrize("clip_norm", [0.0, 0.01])
def test_a_batch_in_parts_makes_the_same_step(clip_norm):
    rows = np.arange(8)
    whole = one_step(rows, clip_norm=clip_norm)
    parts = one_step(rows, accumulate=4, clip_norm=clip_norm)
    np.testing.assert_allclose(parts, whole, rtol=1e-3, atol=1e-6)


def test_the_rate_is_over_the_updates_where_a_batch_comes_in_parts():
    values = {"epochs": 10, "learning_rate": 0.1, "warmup_steps": 0}
    parts = rates(100, 251, batch_size=32, accumulate=4, **values)
    np.testing.assert_allclose(parts, rates(25, 251, **values))
    assert parts[-1] == pytest.approx(0.0, abs=1e-8)


def test_weight_decay_may_leave_out_biases_and_scales():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, bias_initializer="ones")])
    model.add(keras.layers.BatchNormalization())
    recipe = make_recipe(
        {"optimizer": "adamw", "weight_decay": 0.5, "schedule": "constant", "warmup_steps": 0}
    )
    for decayed, left in (("all", [0.5, 0.5, 0.5, 0.0]), ("kernels", [0.5, 1.0, 1.0, 0.0])):
        still = keras.models.clone_model(model)
        kernel = still.get_weights()[0]
        values = replace(recipe, decayed=decayed, learning_rate=1.0)
        compile_model(still, NoLoss(), values, 1, "cpu")
        still.train_on_batch(np.zeros((2, 4), np.float32), np.zeros((2, 3), np.float32))
        found = [variable.numpy() for variable in still.trainable_variables]
        expected = [kernel, *np.ones((2, 3)), np.zeros(3)]
        for weights, share, began in zip(found, left, expected, strict=True):
            np.testing.assert_allclose(weights, share * began, atol=1e-6)


class NoLoss(keras.losses.Loss):
    """Moves no weight."""

    def call(self, y_true, y_pred):
        return 0.0 * keras.ops.mean(y_pred)


def test_adamw_decays_by_the_recipe():
    kept = one_step(np.arange(8), optimizer="adamw", weight_decay=0.0)
    decayed = one_step(np.arange(8), optimizer="adamw", weight_decay=0.5)
    start = np.concatenate([w.ravel() for w in small_model().get_weights()])
    np.testing.assert_allclose(decayed - kept, -0.5 * start, atol=1e-5)
