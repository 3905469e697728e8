"""What augmentation draws, here and in a worker.

``python -m tests.data.drawn_batches`` is run by test_augment.py as a worker with one thread,
deterministic operations and no network. It prints as JSON what is :func:`drawn`, and whether
keras-cv was imported before randaugment was asked for, and after.
"""

from __future__ import annotations

import hashlib
import json
import socket
import sys

import numpy as np
import tensorflow as tf

from benchmark.data.augmentation import AXIS
from benchmark.data.pipeline import training_batches


def drawn() -> dict[str, list[str]]:
    """Policy -> hashes of the batches of an epoch."""
    images = np.random.default_rng(0).integers(0, 256, (24, 48, 48), np.uint8)
    how = {"batch_size": 12, "seed": 3, "epochs": 1}
    batches = {
        name: training_batches(images, np.zeros((24, 1)), augmentation=name, **how)
        for name in AXIS.names()
    }
    return {
        name: [hashlib.sha256(x).hexdigest() for x, _ in of.as_numpy_iterator()]
        for name, of in batches.items()
    }


def refused(*args, **kwargs):
    raise AssertionError("network")


def main() -> None:
    socket.getaddrinfo = socket.socket.connect = refused
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.experimental.enable_op_determinism()
    for name in AXIS.names():
        if name != "randaugment":
            AXIS.find(name).load()
    before = "keras_cv" in sys.modules
    print(json.dumps([drawn(), before, "keras_cv" in sys.modules]))


if __name__ == "__main__":
    main()
