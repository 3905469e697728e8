"""What a backend finds to compute with. Also a script that is asked so: ``devices.py jax gpu``.

As a script it is run by its path, beside any package: it imports nothing of this one.
"""

from __future__ import annotations

import json
import sys


def devices(backend: str, kind: str) -> list[str]:
    """Names of the devices of a kind, ``"gpu"`` or ``"tpu"``; imports the backend.

    Keras has a function for this that PyTorch lacks, and that takes a GPU's memory on TensorFlow.
    """
    if backend == "tensorflow":
        import tensorflow as tf

        found = tf.config.list_physical_devices(kind.upper())
        details = tf.config.experimental.get_device_details
        return [details(device).get("device_name", device.name) for device in found]
    if backend == "jax":
        import jax

        try:
            return [device.device_kind for device in jax.devices(kind)]
        except RuntimeError:  # none of this kind
            return []
    import torch

    there = range(torch.cuda.device_count() if kind == "gpu" else 0)
    return [torch.cuda.get_device_name(i) for i in there]


if __name__ == "__main__":
    print(json.dumps(devices(*sys.argv[1:])))
