"""Memory of an accelerator that a spec took at most, in MiB, as its framework counts it."""

from __future__ import annotations

import contextlib
import sys
from typing import Any

from benchmark.machine.environment import Environment


def reset_peak_device_memory(environment: Environment) -> None:
    """Start a new measurement. JAX cannot: there the peak is the process's so far."""
    framework = _framework(environment)
    if framework is None:
        return
    with contextlib.suppress(Exception):  # a driver or version that counts nothing
        if environment.backend == "tensorflow":
            framework.config.experimental.reset_memory_stats("GPU:0")
        elif environment.backend == "torch":
            framework.cuda.reset_peak_memory_stats()


def peak_device_memory_mb(environment: Environment) -> int | None:
    """The most memory taken of one accelerator; None on a CPU, and where nothing counts it."""
    framework = _framework(environment)
    if framework is None:
        return None
    try:
        return PEAKS[environment.backend](framework, environment.device) // 2**20
    except Exception:  # as above: a number that is missing costs no result
        return None


def _framework(environment: Environment) -> Any:
    """The backend's package where it is in use and computes on an accelerator, else None."""
    return None if environment.device == "cpu" else sys.modules.get(environment.backend)


def _tensorflow(tf: Any, device: str) -> int:
    return tf.config.experimental.get_memory_info(f"{device.upper()}:0")["peak"]


def _jax(jax: Any, device: str) -> int:
    return max(each.memory_stats()["peak_bytes_in_use"] for each in jax.local_devices())


def _torch(torch: Any, device: str) -> int:
    return torch.cuda.max_memory_allocated()


PEAKS = {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}
