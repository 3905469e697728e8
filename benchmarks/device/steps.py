"""Milliseconds a training step: the bare step, and Keras' fit with several ways to feed it.

    KERAS_BACKEND=jax python -m benchmarks.device.steps cnn@64x32 densenet121@224x64:mixed_bfloat16

Networks, loss, optimizer, fit loop and tf.data pipeline are this package's own. The images are
noise in memory, so that no data set is needed. What is timed is an epoch behind the first, in which
all is traced and compiled.
"""

from __future__ import annotations

import re
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice

import keras
import numpy as np

from benchmark.data.pipeline import epoch_order, training_batches
from benchmark.machine.environment import fix_keras_settings
from benchmark.models import create, discover
from benchmark.task import Task
from benchmark.training.fit import CHECK_EVERY
from benchmark.training.loss import MaskedCrossEntropy
from benchmark.training.optimizer import compile_model
from benchmark.training.recipe import Recipe
from benchmarks.device.child import attempt, environment

AT_ONCE = 8
"""Steps of an execution, where there are several."""
STEPS = {"cnn": 256}
"""Steps of an epoch; of the other, slower networks :data:`FEW`."""
FEW = 32
TIMED_EPOCHS, REPEATS = 3, 3


@dataclass(frozen=True)
class Case:
    """A network and its batches; written ``cnn@64x32:float32``."""

    model: str
    size: int
    batch: int
    precision: str = "float32"

    @classmethod
    def read(cls, text: str) -> Case:
        """From its written form."""
        model, size, batch, precision = re.fullmatch(r"(\w+)@(\d+)x(\d+)(?::(\w+))?", text).groups()
        return cls(model, int(size), int(batch), precision or "float32")

    @property
    def steps(self) -> int:
        """Of an epoch."""
        return STEPS.get(self.model, FEW)


class Measured:
    """A network under measurement, compiled anew, and noise to train it on."""

    def __init__(self, case: Case, device: str):
        self.case = case
        draw = np.random.default_rng(0)
        shape = (case.steps * case.batch, case.size, case.size)
        self.images = draw.integers(0, 256, shape, np.uint8)
        self.targets = draw.integers(0, 2, (len(self.images), 1)).astype(np.float32)
        self.recipe = Recipe(
            batch_size=case.batch, epochs=1 + TIMED_EPOCHS, patience=1 + TIMED_EPOCHS
        )
        keras.utils.clear_session(free_memory=True)
        keras.utils.set_random_seed(0)
        fix_keras_settings()
        keras.config.set_dtype_policy(case.precision)
        task = Task(("finding",), "binary")
        self.model = create(discover()[case.model], case.size, task, "imagenet")
        compile_model(self.model, MaskedCrossEntropy(False), self.recipe, case.steps, device)
        self.model.optimizer.build(self.model.trainable_variables)

    def bare(self) -> dict[str, float]:
        """Keras' own training step on one batch that stays on the device."""
        x, y = next(self.numpy_batches())
        step = BARE[keras.backend.backend()](self.model, x, y)
        begun = time.perf_counter()
        step(1)
        first = time.perf_counter() - begun
        step(3)
        seconds = statistics.median(_seconds(step, self.case.steps) for _ in range(REPEATS))
        return self._told(seconds) | {"first_step_s": round(first, 2)}

    def fit(self, batches: Callable[[], object], at_once: int = 1) -> dict[str, float]:
        """Keras' fit, with a callback that looks at the loss as often as a spec's does."""
        self.model.steps_per_execution, epochs = at_once, EpochSeconds()
        self.model.make_train_function(force=True)
        self.model.fit(
            batches(),
            epochs=self.recipe.epochs,
            steps_per_epoch=self.case.steps,
            shuffle=False,
            verbose=0,
            callbacks=[epochs],
        )
        first, *later = epochs.seconds
        return self._told(statistics.median(later)) | {"first_epoch_s": round(first, 2)}

    def input_alone(self, augmentation: str) -> dict[str, float]:
        """The pipeline with nobody to train."""
        batches = iter(self.pipeline(augmentation))
        ahead = 2 * self.case.steps
        for _ in islice(batches, ahead):  # what was made before the clock ran is used up
            pass
        return self._told(_seconds(lambda n: list(islice(batches, n)), self.case.steps))

    def pipeline(self, augmentation: str = "none"):
        """What a spec is fed."""
        return training_batches(
            self.images,
            self.targets,
            batch_size=self.case.batch,
            seed=0,
            augmentation=augmentation,
            epochs=self.recipe.epochs,
        )

    def numpy_batches(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """The same images from a plain Python generator, one batch after another."""
        for number in range(self.recipe.epochs):
            order = epoch_order(len(self.images), 0, number)
            for rows in np.split(order, self.case.steps):
                x = self.images[rows].astype(np.float32)[..., None] / np.float32(255)
                yield x, self.targets[rows]

    def _told(self, seconds: float) -> dict[str, float]:
        step = seconds / self.case.steps
        return {"ms": round(1000 * step, 3), "images_per_s": round(self.case.batch / step)}


class EpochSeconds(keras.callbacks.Callback):
    """Wall-clock seconds of every epoch."""

    def __init__(self):
        super().__init__()
        self.seconds: list[float] = []
        self._began = 0.0

    def on_epoch_begin(self, epoch, logs=None):
        """Note when it began."""
        self._began = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        """Look at the loss from time to time, which waits for the device."""
        if (batch + 1) % CHECK_EVERY == 0:
            float(logs["loss"])

    def on_epoch_end(self, epoch, logs=None):
        """Wait for the device, and note what the epoch took."""
        float(logs["loss"])
        self.seconds.append(time.perf_counter() - self._began)


def _bare_jax(model: keras.Model, x: np.ndarray, y: np.ndarray) -> Callable[[int], None]:
    import jax

    kept = (
        model.trainable_variables,
        model.non_trainable_variables,
        model.optimizer.variables,
        model.metrics_variables,
    )
    state = [[jax.numpy.copy(v.value) for v in group] for group in kept]  # donated at every step
    data = jax.device_put((x, y))
    function = jax.jit(model.train_step, donate_argnums=0)

    def step(n: int) -> None:
        nonlocal state
        for _ in range(n):
            _, state = function(state, data)
        jax.block_until_ready(state)

    return step


def _bare_torch(model: keras.Model, x: np.ndarray, y: np.ndarray) -> Callable[[int], None]:
    import torch

    data = keras.ops.convert_to_tensor(x), keras.ops.convert_to_tensor(y)

    def step(n: int) -> None:
        for _ in range(n):
            model.train_step(data)
        if torch.cuda.is_available():
            torch.cuda.synchronize()

    return step


def _bare_tensorflow(model: keras.Model, x: np.ndarray, y: np.ndarray) -> Callable[[int], None]:
    import tensorflow as tf

    data = tf.constant(x), tf.constant(y)
    function = tf.function(model.train_step, jit_compile=model.jit_compile)

    def step(n: int) -> None:
        for _ in range(n):
            logs = function(data)
        float(logs["loss"])

    return step


BARE = {"jax": _bare_jax, "torch": _bare_torch, "tensorflow": _bare_tensorflow}


def _seconds(work: Callable[[int], object], n: int) -> float:
    begun = time.perf_counter()
    work(n)
    return time.perf_counter() - begun


def peak_memory() -> dict[str, int | None]:
    """Most device memory that was in use since the process began, in MiB; None on a CPU."""
    backend, peak = keras.backend.backend(), None
    if backend == "jax":
        import jax

        peak = (jax.local_devices()[0].memory_stats() or {}).get("peak_bytes_in_use")
    elif backend == "torch":
        import torch

        peak = torch.cuda.max_memory_allocated() if torch.cuda.is_available() else None
    else:
        import tensorflow as tf

        if tf.config.list_physical_devices("GPU"):
            peak = tf.config.experimental.get_memory_info("GPU:0")["peak"]
    return {"peak_mib": peak and peak // 2**20}


def measure(text: str, device: str) -> None:
    """Tell everything about one case."""
    measured: list[Measured] = []

    def build() -> dict:
        measured.append(Measured(Case.read(text), device))
        return {"parameters": measured[0].model.count_params()}

    attempt(f"{text} built", build)
    if not measured:
        return
    it = measured[0]
    attempt(f"{text} bare step", it.bare)
    attempt(f"{text} fit, pipeline", partial(it.fit, it.pipeline))
    attempt(f"{text} fit, pipeline, {AT_ONCE} at once", partial(it.fit, it.pipeline, AT_ONCE))
    attempt(f"{text} fit, NumPy feed", partial(it.fit, it.numpy_batches))
    for augmentation in ("none", "standard"):
        attempt(f"{text} input alone, {augmentation}", partial(it.input_alone, augmentation))
    attempt(f"{text} peak memory of the process", peak_memory)


def main() -> None:
    """Measure the cases that are named, in their order."""
    device = environment().device
    for text in sys.argv[1:]:
        measure(text, device)


if __name__ == "__main__":
    main()
