"""Run by test_distribution.py in processes of its own: one network on several devices, on JAX.

``python -m tests.execution.on_devices FOLDER`` with KERAS_BACKEND=jax and two devices. Trains in
``FOLDER/one`` on one device, in ``FOLDER/two`` on both, and there in ``FOLDER/resumed``, where the
process ends after the first epoch as if it was killed. Called again, it goes on with that alone.

A training has two epochs of ten steps, with batch normalisation and labels that are missing. It
writes to ``trained.npz``: ``losses`` of the steps, ``weights``, and by split logits, of 101 images
in test.
"""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np

from benchmark.data.heartbeat import Heartbeat
from benchmark.data.pipeline import training_batches
from benchmark.machine.environment import Environment
from benchmark.task import Task
from benchmark.training import checkpoint
from benchmark.training.distribution import clear_session, distribute, replicas
from benchmark.training.fit import fit, validation_auc
from benchmark.training.loss import MaskedCrossEntropy
from benchmark.training.network import configure_framework
from benchmark.training.optimizer import compile_model
from benchmark.training.recipe import make_recipe
from benchmark.training.stage import predict_logits, predict_splits

RNG = np.random.default_rng(7)
IMAGES = RNG.integers(0, 256, (80, 8, 8)).astype(np.uint8)
TARGETS = RNG.integers(-1, 2, (80, 3)).astype(np.float32)  # a third is not labelled
OTHERS = RNG.integers(0, 256, (101, 8, 8)).astype(np.uint8)
KNOWN = RNG.integers(0, 2, (101, 3)).astype(np.float32)
TASK = Task(("a", "b", "c"), "multilabel")


class Losses(keras.callbacks.Callback):
    """The loss after every step, its mean over the epoch so far."""

    def __init__(self):
        super().__init__()
        self.seen: list[float] = []

    def on_train_batch_end(self, batch, logs=None):
        self.seen.append(float(logs["loss"]))


def network() -> keras.Model:
    clear_session()
    keras.utils.set_random_seed(3)
    inputs = keras.Input((8, 8, 1))
    found = keras.layers.Conv2D(4, 3, use_bias=False)(inputs)  # one before the norm is but noise
    found = keras.layers.Activation("relu")(keras.layers.BatchNormalization()(found))
    found = keras.layers.Dropout(0.5)(keras.layers.Flatten()(found))
    return keras.Model(inputs, keras.layers.Dense(3, name="logits")(found))


def die(epoch: int, epochs: int, values: dict[str, float | None]) -> None:
    """End the process as it ends where it is killed."""
    os._exit(9)


def train(folder: Path, devices: int, on_epoch=lambda *_: None) -> None:
    model, losses = network(), Losses()
    assert replicas() == devices
    recipe = make_recipe({"epochs": 2, "patience": 9, "batch_size": 8, "optimizer": "sgd"})
    loss = MaskedCrossEntropy(False)
    compile_model(model, loss, recipe, 10, "cpu")
    original = model.fit
    model.fit = lambda *given, callbacks, **more: original(
        *given, callbacks=[*callbacks, losses], **more
    )

    def batches(first):
        return training_batches(IMAGES, TARGETS, batch_size=8, seed=1, first_epoch=first, epochs=2)

    by_auc = validation_auc(lambda m: predict_logits(m, OTHERS, Heartbeat()), KNOWN, TASK, loss)
    kept = checkpoint.Checkpoint(folder / "checkpoint.npz", "test")
    fit(model, batches, 10, by_auc, recipe, on_epoch, kept)
    splits = {"train": IMAGES[:33], "validation": OTHERS[:7], "test": OTHERS}
    np.savez(
        folder / "trained.npz",
        losses=losses.seen,
        weights=np.concatenate([np.ravel(weight) for weight in model.get_weights()]),
        **predict_splits(model, splits, None, Heartbeat()),
    )


def main(folder: Path) -> None:
    checkpoint.SHARE_OF_TIME = np.inf  # no epoch is passed over
    both = Environment("jax", "cpu", 1, 2)
    if (folder / "resumed").is_dir():
        configure_framework(both)
        train(folder / "resumed", 2)
        return
    for name in ("one", "two", "resumed"):
        (folder / name).mkdir()
    configure_framework(replace(both, devices=1))
    train(folder / "one", 1)
    distribute(both)
    train(folder / "two", 2)
    train(folder / "resumed", 2, die)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
