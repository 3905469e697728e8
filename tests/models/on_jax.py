"""Run by test_models_on_jax.py in a process of its own: models on the JAX backend.

``python -m tests.models.on_jax FOLDER NAME ...`` with KERAS_BACKEND=jax. Builds each model, trains
one step, saves it as ``FOLDER/NAME.keras``, loads it, predicts, and writes to ``FOLDER/NAME.npz``:
``loss``, ``logits``, and whether all kernels are ``new`` after the step and ``kept`` in the file.
"""

from __future__ import annotations

import sys
from pathlib import Path

import keras
import numpy as np

from benchmark.data.pipeline import evaluation_batches, training_batches
from benchmark.models import create, discover
from benchmark.training.loss import MaskedCrossEntropy
from tests.models.small import SIZE, TASK, some_images, some_targets


def main(folder: Path, names: list[str]) -> None:
    assert keras.backend.backend() == "jax"
    for name in names:
        keras.utils.set_random_seed(5)
        np.savez(folder / name, **train(name, folder / f"{name}.keras"))


def train(name: str, path: Path) -> dict[str, object]:
    model = create(discover()[name], SIZE, TASK, "own")
    before = kernels(model)
    model.compile(keras.optimizers.SGD(0.1), MaskedCrossEntropy(TASK.exclusive))
    batches = training_batches(some_images(), some_targets(), batch_size=4, seed=3, epochs=1)
    history = model.fit(batches, steps_per_epoch=1, shuffle=False, verbose=0).history
    model.save(path)
    after, again = kernels(model), kernels(keras.models.load_model(path))
    return {
        "loss": history["loss"],
        "new": not any(map(np.array_equal, before, after)),
        "kept": all(map(np.array_equal, again, after)),
        "logits": model.predict(evaluation_batches(some_images(), 4), verbose=0),
    }


def kernels(model: keras.Model) -> list[np.ndarray]:
    return [np.asarray(weight) for weight in model.weights if weight.name == "kernel"]


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
