"""One network on several devices: each has all weights and an equal part of every batch.

On JAX, where Keras computes as one device would: losses and the statistics of batch normalisation
are of the whole batch. What a batch cannot be divided by breaks the model for good there, so what
is predicted is filled up and cut.
"""

from __future__ import annotations

import keras

from benchmark.errors import UserError
from benchmark.machine.environment import Environment


def distribute(environment: Environment) -> None:
    """Have the networks of this thread trained on the environment's devices."""
    if environment.devices > 1:
        there = keras.distribution.list_devices(environment.device)[: environment.devices]
        # Each process sees its own devices only, so that there is no data set to divide.
        parallel = keras.distribution.DataParallel(devices=there, auto_shard_dataset=False)
        keras.distribution.set_distribution(parallel)


def clear_session() -> None:
    """Keras' own, which would forget on what devices networks are trained."""
    before = keras.distribution.distribution()
    keras.utils.clear_session(free_memory=True)
    if before is not None:
        keras.distribution.set_distribution(before)


def replicas() -> int:
    """Parts that a batch is divided into."""
    distribution = keras.distribution.distribution()
    return 1 if distribution is None else int(distribution.device_mesh.devices.size)


def check_divisible(batch: int) -> None:
    """Raise a UserError where batches of so many images cannot be divided among the devices."""
    if batch % (n := replicas()):
        raise UserError(
            f"{batch} images at a time cannot be divided among {n} devices. Choose another "
            "batch_size, or another number of --devices-per-spec."
        )
