"""What a backend finds on this machine, and whether its float32 is IEEE single precision.

    KERAS_BACKEND=torch python -m benchmarks.device.facts

GPUs and TPUs compute with coarser numbers unless they are told not to.
"""

from __future__ import annotations

import sys

import keras
import numpy as np

from benchmarks.device.child import attempt, environment

IEEE = 1e-6
"""A relative error below this is single precision; TF32 gives some 3e-4, bfloat16 some 3e-3."""


def versions() -> dict:
    """Python, packages, processor and memory, as a row has them; and what the backend finds."""
    from msgspec import to_builtins

    from benchmark.machine.environment import current, environment_facts

    return to_builtins(environment_facts(current()))


def precision() -> dict:
    """Relative errors of a matrix product and a convolution of float32 numbers, beside float64."""
    draw = np.random.default_rng(0)
    a, b = draw.normal(size=(512, 512)), draw.normal(size=(512, 512))
    x, kernel = draw.normal(size=(4, 32, 32, 64)), draw.normal(size=(3, 3, 64, 64))
    found = {
        "matmul": _error(keras.ops.matmul(_single(a), _single(b)), _double(a) @ _double(b)),
        "conv": _error(keras.ops.conv(_single(x), _single(kernel)), _convolved(x, kernel)),
    }
    return found | {"ieee": max(found.values()) < IEEE}


def _single(values: np.ndarray):
    return keras.ops.convert_to_tensor(values.astype(np.float32))


def _double(values: np.ndarray) -> np.ndarray:
    return values.astype(np.float32).astype(np.float64)


def _convolved(x: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    windows = np.lib.stride_tricks.sliding_window_view(_double(x), (3, 3), axis=(1, 2))
    return np.einsum("bhwcij,ijco->bhwo", windows, _double(kernel), optimize=True)


def _error(found, exact: np.ndarray) -> float:
    difference = keras.ops.convert_to_numpy(found) - exact
    return float(np.linalg.norm(difference) / np.linalg.norm(exact))


def main() -> None:
    """``plain``: the framework as it comes; otherwise as a worker sets it up."""
    if sys.argv[1:] == ["plain"]:
        attempt("float32 as the framework comes", precision)
        return
    environment()
    attempt("float32 of a worker", precision)
    attempt("versions", versions)


if __name__ == "__main__":
    main()
