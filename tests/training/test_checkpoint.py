"""A training that was interrupted goes on with the same bits."""

from __future__ import annotations

import json
from contextlib import nullcontext
from dataclasses import replace
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from benchmark.data.heartbeat import Heartbeat
from benchmark.data.pipeline import steps_per_epoch, training_batches
from benchmark.kinds.code import code_of
from benchmark.models import discover
from benchmark.records.store import Results
from benchmark.training import checkpoints
from benchmark.training.checkpoint import Checkpoint, State, Timed
from benchmark.training.clock import TrainingClock
from benchmark.training.fit import Validated, Validation, fit
from benchmark.training.loss import MaskedCrossEntropy
from benchmark.training.optimizer import compile_model
from benchmark.training.recipe import make_recipe
from tests.records.rows import a_spec, an_environment
from tests.training.compiled import KEPT, compiled

RNG = np.random.default_rng(5)
IMAGES = RNG.integers(0, 256, (40, 8, 8)).astype(np.uint8)
TARGETS = RNG.integers(0, 2, (40, 1)).astype(np.float32)
STEPS = steps_per_epoch(len(IMAGES), 8)
TIMED = Timed({"steps": 1 / 3}, 7)
AUCS = [0.5, 0.7, 0.6, 0.8, 0.75, 0.7]


@pytest.fixture(autouse=True)
def write_every_epoch(monkeypatch):
    """These epochs take no time; none is passed over all the same."""
    monkeypatch.setattr("benchmark.training.checkpoint.SHARE_OF_TIME", np.inf)


class Killed(Exception):
    """Stands for the end of the process."""


def dropout_model(units=6):
    keras.utils.clear_session(free_memory=False)
    keras.utils.set_random_seed(3)
    inputs = keras.Input((8, 8, 1))
    hidden = keras.layers.Flatten()(inputs)
    hidden = keras.layers.BatchNormalization()(keras.layers.Dense(units, activation="relu")(hidden))
    outputs = keras.layers.Dense(1, name="logits")(keras.layers.Dropout(0.5)(hidden))
    return keras.Model(inputs, outputs)


TRAINED_OUT = {
    "optimizer": "adamw",
    "decayed": "kernels",
    "warmup_share": 0.4,
    "label_smoothing": 0.1,
    "ema_epochs": 1.0,
}


def train(checkpoint, *, die_after=None, patience=9, accumulate=1, clock=None, **values):
    """Weights, history and the epochs that were trained here."""
    values |= {"batch_size": 8 * accumulate, "accumulate": accumulate}
    recipe = make_recipe({"epochs": 6, "patience": patience}, values)
    model, trained, begun = compiled(dropout_model, recipe, STEPS), [], [0]

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

    by_auc = Validation("val_auc", validate)
    history, _ = fit(model, batches, STEPS, by_auc, recipe, on_epoch, checkpoint, clock)
    return model.get_weights(), history.as_record(), trained


def interrupted(path, epoch, **options):
    with pytest.raises(Killed):
        train(Checkpoint(path, "code"), die_after=epoch, **options)
    return train(Checkpoint(path, "code"), **options)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"patience": 2},
        {"accumulate": 2},
        TRAINED_OUT,
        {**TRAINED_OUT, "accumulate": 2, "patience": 2},
    ],
    ids=str,
)
def test_weights_and_history_are_those_of_an_undisturbed_training(tmp_path, options):
    weights, history, trained = train(None, **options)
    for epoch in (1, 3, 5):
        again, after, rest = interrupted(tmp_path / f"{epoch}.npz", epoch, **options)
        assert rest == trained[epoch:], "no epoch is trained twice, none is left out"
        assert after == history
        assert all(np.array_equal(a, b) for a, b in zip(weights, again, strict=True))


def test_a_network_that_is_built_and_traced_anew_goes_on_too(tmp_path):
    weights, *_ = train(None, **TRAINED_OUT)
    with pytest.raises(Killed):
        train(Checkpoint(tmp_path / "c.npz", "code"), die_after=3, **TRAINED_OUT)
    KEPT.forget_others("those of another process")
    again, *_ = train(Checkpoint(tmp_path / "c.npz", "code"), **TRAINED_OUT)
    assert all(np.array_equal(a, b) for a, b in zip(weights, again, strict=True))


def test_a_checkpoint_of_an_earlier_layout_begins_anew_in_silence(tmp_path, caplog):
    path = tmp_path / "c.npz"
    with pytest.raises(Killed):
        train(Checkpoint(path, "code"), die_after=3)
    with np.load(path) as arrays:
        held = dict(arrays)
    described = json.loads(held["described"].tobytes())
    del described["timed"]
    described["made_by"] = "an earlier layout"
    held["described"] = np.frombuffer(json.dumps(described).encode(), np.uint8)
    np.savez(path, **held)
    _, _, trained = train(Checkpoint(path, "code"))
    assert trained == [1, 2, 3, 4, 5, 6]
    assert not caplog.records


def test_the_time_of_all_epochs_is_counted_once(tmp_path):
    clocks = [TrainingClock(Heartbeat()) for _ in range(3)]
    for clock, epoch in zip(clocks, (2, 3, None), strict=True):
        with pytest.raises(Killed) if epoch else nullcontext():
            train(Checkpoint(tmp_path / "c.npz", "code"), die_after=epoch, clock=clock)
    last = clocks[-1]
    assert last.timed.later_steps == 6 * STEPS - len(clocks)
    assert 0 < clocks[1].earlier < last.earlier < sum(last.timed.parts.values())


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


class Saved:
    """A checkpoint of a model that has taken a few steps, and a second model to load it into."""

    def __init__(self, path, units=6):
        self.path = path
        recipe = make_recipe({"batch_size": 8})
        self.model = dropout_model(units)
        compile_model(self.model, MaskedCrossEntropy(False), recipe, STEPS, "cpu")
        self.model.fit(IMAGES[..., None] / np.float32(255), TARGETS, batch_size=8, verbose=0)
        best = [weight + 1 for weight in self.model.get_weights()]
        self.state = State(
            {"loss": [0.7, 1 / 3], "val_score": [None, 0.5], "best_epoch": 1}, best, TIMED
        )
        Checkpoint(path, "code").save(self.model, self.state)
        self.variables = self._variables()
        self._whole = path.read_bytes()

    def whole(self):
        """Put the file back as it was; returns its bytes."""
        self.path.write_bytes(self._whole)
        return self._whole

    def _variables(self):
        variables = (*self.model.variables, *self.model.optimizer.variables)
        return [keras.ops.convert_to_numpy(variable).copy() for variable in variables]

    def load(self):
        """Load it over other values; whether it was used, whole, or not, and then nothing of it."""
        others = [np.zeros_like(value) for value in self.variables]
        variables = (*self.model.variables, *self.model.optimizer.variables)
        for variable, value in zip(variables, others, strict=True):
            variable.assign(value)
        state = Checkpoint(self.path, "code").load(self.model)
        expected = self.variables if state else others
        for value, known in zip(self._variables(), expected, strict=True):
            np.testing.assert_array_equal(value, known)
            assert value.dtype == known.dtype
        if state is None:
            return False
        assert (state.history, state.timed) == (self.state.history, TIMED)
        for value, known in zip(state.best_weights, self.state.best_weights, strict=True):
            np.testing.assert_array_equal(value, known)
            assert value.dtype == known.dtype
        return True


@pytest.fixture(scope="module")
def once(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("benchmark.training.checkpoint.SHARE_OF_TIME", np.inf)
        return Saved(tmp_path_factory.mktemp("saved") / "c.npz")


@pytest.fixture
def saved(once):
    """Made once, its file whole."""
    once.whole()
    return once


def flipped(data: bytes, bit: int) -> bytes:
    turned = bytearray(data)
    turned[bit // 8] ^= 1 << bit % 8
    return bytes(turned)


def test_a_damaged_checkpoint_gives_its_exact_state_or_none(saved):
    whole = saved.whole()
    assert saved.load()
    random = np.random.default_rng(0)
    damaged = [flipped(whole, int(bit)) for bit in random.integers(0, 8 * len(whole), 200)]
    damaged += [whole[: int(end)] for end in random.integers(0, len(whole), 200)]
    used = 0
    for data in damaged:
        saved.path.write_bytes(data)
        used += saved.load()
    assert used < 150, "some bits say nothing, such as those of dates; most do"


def test_a_damaged_header_of_a_kept_weight_is_noticed(tmp_path):
    # NumPy reads as many bytes as a header says: of fewer it would not compare the checksum.
    saved = Saved(tmp_path / "c.npz", units=100)
    whole = saved.whole()
    at = whole.index(b"(64, 100)", whole.index(b"best_00000.npy"))
    for bit in range(8 * at, 8 * (at + 9)):
        saved.path.write_bytes(flipped(whole, bit))
        assert not saved.load()


def test_a_checkpoint_without_one_of_the_kept_weights_is_not_used(saved):
    with np.load(saved.path) as arrays:
        some = {name: arrays[name] for name in arrays if name != "best_00001"}
    np.savez(saved.path, **some)
    assert not saved.load()


def test_a_checkpoint_of_another_model_is_not_used(saved):
    keras.utils.clear_session(free_memory=False)
    narrow = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten()])
    narrow.add(keras.layers.Dense(1))
    compile_model(narrow, MaskedCrossEntropy(False), make_recipe(), STEPS, "cpu")
    before = narrow.get_weights()
    assert Checkpoint(saved.path, "code").load(narrow) is None
    assert all(np.array_equal(a, b) for a, b in zip(narrow.get_weights(), before, strict=True))


@pytest.fixture
def of_a_spec(tmp_path, monkeypatch):
    """Gives the checkpoint of a spec in an environment, under a version of the training's code."""

    def make(version=1, stage="train", model="1", **environment):
        facts = an_environment(**environment)
        monkeypatch.setattr(checkpoints, "environment_facts", lambda given: facts)
        monkeypatch.setattr("benchmark.training.VERSION", version)
        code = code_of(a_spec(), replace(discover()["cnn"], version=model))
        context = SimpleNamespace(results=Results(tmp_path), environment=None, code=code)
        return checkpoints.stage_checkpoint(context, a_spec(), stage)

    return make


@pytest.mark.parametrize(
    "other",
    [
        {"version": 2},
        {"backend": "jax"},
        {"threads": 4},
        {"cpu": "another processor"},
        {"packages": {"keras": "3.15.2"}},
        {"stage": "head"},
    ],
    ids=str,
)
def test_a_checkpoint_of_other_code_or_another_environment_is_not_used(saved, of_a_spec, other):
    of_a_spec().save(saved.model, saved.state)
    for options, used in (({}, True), (other, False), ({}, True)):
        assert (of_a_spec(**options).load(saved.model) is not None) == used


def test_a_checkpoint_of_another_model_file_is_not_used(saved, of_a_spec):
    of_a_spec().save(saved.model, saved.state)
    assert of_a_spec().load(saved.model) is not None
    assert of_a_spec(model="mlp_of_another_version").load(saved.model) is None


@pytest.mark.parametrize("speed", [1e-9, np.inf], ids=["slow disk", "fast disk"])
def test_epochs_that_are_quicker_than_the_writing_are_passed_over(tmp_path, monkeypatch, speed):
    monkeypatch.setattr("benchmark.training.checkpoint.SHARE_OF_TIME", 1e-9)
    monkeypatch.setattr("benchmark.training.checkpoint.BYTES_PER_SECOND", speed)
    path = tmp_path / "c.npz"
    with pytest.raises(Killed):
        train(Checkpoint(path, "code"), die_after=4)
    first = 1 if speed < 1 else 2  # of a fast disk, the first epoch showed that it is not so fast
    assert train(Checkpoint(path, "code"))[2] == list(range(first, 7))
