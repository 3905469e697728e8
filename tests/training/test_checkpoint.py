"""A training that was interrupted goes on with the same bits."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from benchmark.data.pipeline import steps_per_epoch, training_batches
from benchmark.training.checkpoint import Checkpoint
from benchmark.training.fit import Validated, compile_model, fit
from benchmark.training.loss import MaskedCrossEntropy
from benchmark.training.recipe import make_recipe

RNG = np.random.default_rng(5)
IMAGES = RNG.integers(0, 256, (40, 8, 8)).astype(np.uint8)
TARGETS = RNG.integers(0, 2, (40, 1)).astype(np.float32)
STEPS = steps_per_epoch(len(IMAGES), 8)
AUCS = [0.5, 0.7, 0.6, 0.8, 0.75, 0.7]


@pytest.fixture(autouse=True)
def write_every_epoch(monkeypatch):
    """These epochs take no time; none is passed over all the same."""
    monkeypatch.setattr("benchmark.training.checkpoint.SHARE_OF_TIME", np.inf)


class Killed(Exception):
    """Stands for the end of the process."""


def dropout_model():
    keras.utils.clear_session()
    keras.utils.set_random_seed(3)
    inputs = keras.Input((8, 8, 1))
    hidden = keras.layers.Flatten()(inputs)
    hidden = keras.layers.BatchNormalization()(keras.layers.Dense(6, activation="relu")(hidden))
    outputs = keras.layers.Dense(1, name="logits")(keras.layers.Dropout(0.5)(hidden))
    return keras.Model(inputs, outputs)


def train(checkpoint, *, die_after=None, patience=9, accumulate=1):
    """Weights, history and the epochs that were trained here."""
    recipe = make_recipe(
        {"epochs": 6, "patience": patience, "batch_size": 8 * accumulate, "accumulate": accumulate}
    )
    model, trained, begun = dropout_model(), [], [0]
    compile_model(model, MaskedCrossEntropy(False), recipe, STEPS, "cpu")

    def batches(first):
        begun[0] = first
        return training_batches(
            IMAGES, TARGETS, batch_size=8, seed=1, augmentation="flip", first_epoch=first, epochs=6
        )

    def validate(model):
        return Validated(AUCS[begun[0] + len(trained)])

    def on_epoch(epoch, epochs, values):
        trained.append(epoch)
        if epoch == die_after:
            raise Killed

    history, _ = fit(model, batches, STEPS, validate, recipe, on_epoch, checkpoint)
    return model.get_weights(), history.as_dict(), trained


def interrupted(path, epoch, **options):
    with pytest.raises(Killed):
        train(Checkpoint(path, "code"), die_after=epoch, **options)
    return train(Checkpoint(path, "code"), **options)


@pytest.mark.parametrize("epoch", [1, 3, 5])
@pytest.mark.parametrize("options", [{}, {"patience": 2}, {"accumulate": 2}], ids=str)
def test_weights_and_history_are_those_of_an_undisturbed_training(tmp_path, epoch, options):
    weights, history, trained = train(None, **options)
    again, after, rest = interrupted(tmp_path / "c.npz", epoch, **options)
    assert rest == trained[epoch:], "no epoch is trained twice, none is left out"
    assert after == history
    assert all(np.array_equal(a, b) for a, b in zip(weights, again, strict=True))


def test_a_finished_training_is_not_trained_on(tmp_path):
    path = tmp_path / "c.npz"
    weights, history, _ = train(Checkpoint(path, "code"))
    again, after, trained = train(Checkpoint(path, "code"))
    assert trained == []
    assert after == history
    assert all(np.array_equal(a, b) for a, b in zip(weights, again, strict=True))


@pytest.mark.parametrize("damage", ["truncated", "other code", "nonsense"])
def test_a_checkpoint_that_cannot_be_trusted_begins_anew(tmp_path, damage):
    path = tmp_path / "c.npz"
    with pytest.raises(Killed):
        train(Checkpoint(path, "code"), die_after=3)
    if damage == "truncated":
        path.write_bytes(path.read_bytes()[:-200])
    elif damage == "nonsense":
        path.write_bytes(b"no archive at all")
    made_by = "newer code" if damage == "other code" else "code"
    _, _, trained = train(Checkpoint(path, made_by))
    assert trained == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("speed", [1e-9, np.inf], ids=["slow disk", "fast disk"])
def test_epochs_that_are_quicker_than_the_writing_are_passed_over(tmp_path, monkeypatch, speed):
    monkeypatch.setattr("benchmark.training.checkpoint.SHARE_OF_TIME", 1e-9)
    monkeypatch.setattr("benchmark.training.checkpoint.BYTES_PER_SECOND", speed)
    path = tmp_path / "c.npz"
    with pytest.raises(Killed):
        train(Checkpoint(path, "code"), die_after=4)
    first = 1 if speed < 1 else 2  # of a fast disk, the first epoch showed that it is not so fast
    assert train(Checkpoint(path, "code"))[2] == list(range(first, 7))
