"""Run by test_feeding.py in processes of its own: the same training fed in two ways.

``python -m tests.training.fed`` with KERAS_BACKEND=tensorflow or jax. Trains as on a CPU, and as on
a GPU: for TensorFlow a second CPU stands for it, for Keras on JAX the name of what it computes on.
Prints, for each, the SHA-256 of weights and losses, the device of the weights, and how many batches
were handed over when each step had ended.
"""

from __future__ import annotations

import contextlib
import json
from unittest import mock

import keras
import numpy as np

from benchmark.data.heartbeat import Heartbeat
from benchmark.data.pipeline import training_batches
from benchmark.hashing import sha256
from benchmark.training import feeding

STEPS, EPOCHS = 5, 3
SECOND = "/cpu:1"


class Counting(keras.callbacks.Callback, Heartbeat):
    """Counts what is handed over while it is trained.

    Attributes:
        given: how many batches when each step had ended.
    """

    def __init__(self):
        keras.callbacks.Callback.__init__(self)
        Heartbeat.__init__(self)
        self.given: list[int] = []
        self._n = 0

    def hand_over(self):
        self._n += 1

    def on_train_begin(self, logs=None):
        self._n = 0

    def on_train_batch_end(self, batch, logs=None):
        self.given.append(self._n)


def main() -> None:
    on_tensorflow = keras.backend.backend() == "tensorflow"
    if on_tensorflow:
        import tensorflow as tf

        (cpu,) = tf.config.list_physical_devices("CPU")
        two = [tf.config.LogicalDeviceConfiguration()] * 2
        tf.config.set_logical_device_configuration(cpu, two)
        as_on_gpu = tf.device(SECOND)
    else:
        as_on_gpu = mock.patch("jax.default_backend", return_value="gpu")
    feeding.GPU = SECOND
    for device, way in {"cpu": contextlib.nullcontext(), "gpu": as_on_gpu}.items():
        with way:
            print(json.dumps(trained(device)))


def trained(device: str) -> list:
    keras.utils.clear_session()
    keras.utils.set_random_seed(0)
    rng, counting = np.random.default_rng(0), Counting()
    images = rng.integers(0, 256, (8 * STEPS, 8, 8)).astype(np.uint8)
    batches = training_batches(
        images,
        rng.integers(0, 2, (len(images), 1)),
        batch_size=8,
        seed=0,
        augmentation="standard",
        epochs=EPOCHS,
        heartbeat=counting,
    )
    layers = [keras.layers.Conv2D(4, 3), keras.layers.BatchNormalization()]
    layers += [keras.layers.Dropout(0.3), keras.layers.Flatten(), keras.layers.Dense(1)]
    model = keras.Sequential([keras.Input((8, 8, 1)), *layers])
    model.compile("adam", "mse", jit_compile=keras.backend.backend() == "jax")
    history = model.fit(
        feeding.sent_ahead(batches, device),
        epochs=EPOCHS,
        steps_per_epoch=STEPS,
        shuffle=False,
        verbose=0,
        callbacks=[counting],
    )
    weights = b"".join(weight.tobytes() for weight in model.get_weights())
    where = str(getattr(model.trainable_variables[0].value, "device", ""))
    return [sha256(weights + repr(history.history["loss"]).encode()), where, counting.given]


if __name__ == "__main__":
    main()
