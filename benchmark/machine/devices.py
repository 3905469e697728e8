"""What a backend finds to compute with. Also a script that is asked so: ``devices.py jax gpu``.

As a script it is run by its path, beside any package: it imports nothing of this one.
"""

from __future__ import annotations

import json
import sys
from typing import Any, NamedTuple

FIRST_WITH_BFLOAT16 = (8, 0)
"""Compute capability of NVIDIA's first GPUs that compute with bfloat16 (A100)."""


class Device(NamedTuple):
    """An accelerator; ``bfloat16`` says whether it computes with that, None where nobody knows."""

    name: str
    bfloat16: bool | None = None


class Found(NamedTuple):
    """The devices that a backend finds, and what went wrong while it was asked."""

    devices: list[Device]
    problem: str = ""


def find(backend: str, kind: str) -> Found:
    """The devices of a kind, ``"gpu"`` or ``"tpu"``. Imports the backend, and never raises.

    Keras has a function for this that PyTorch lacks, and that takes a GPU's memory on TensorFlow.
    """
    try:
        return Found(LISTERS[backend](kind))
    except Exception as error:  # whatever a driver, a library or a version of it comes up with
        return Found([], f"{type(error).__name__}: {error}")


def _tensorflow(kind: str) -> list[Device]:
    import tensorflow as tf

    details = tf.config.experimental.get_device_details
    return [
        _device(kind, each.get("device_name") or device.name, each.get("compute_capability"))
        for device in tf.config.list_physical_devices(kind.upper())
        for each in [details(device)]
    ]


def _jax(kind: str) -> list[Device]:
    import jax

    try:
        found = jax.devices(kind)
    except RuntimeError:  # none of this kind
        return []
    return [_device(kind, d.device_kind, getattr(d, "compute_capability", None)) for d in found]


def _torch(kind: str) -> list[Device]:
    import torch

    there = range(torch.cuda.device_count() if kind == "gpu" else 0)
    cuda = torch.cuda
    return [_device(kind, cuda.get_device_name(i), cuda.get_device_capability(i)) for i in there]


LISTERS = {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}


def _device(kind: str, name: str, capability: Any) -> Device:
    """A device; every TPU has bfloat16, of GPUs NVIDIA's compute capability tells."""
    if kind == "tpu":
        return Device(name, True)
    try:  # (8, 0), or "8.0"; AMD's is another thing
        parts = capability.split(".") if isinstance(capability, str) else capability
        major, minor = map(int, parts)
    except (TypeError, ValueError):
        return Device(name)
    known = "AMD" not in name and "Radeon" not in name
    return Device(name, (major, minor) >= FIRST_WITH_BFLOAT16 if known else None)


if __name__ == "__main__":
    print(json.dumps(find(*sys.argv[1:])))
