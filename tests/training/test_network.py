"""How a worker sets up its framework. In processes of their own: the settings are for good."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys

import pytest

ASKED = {
    "tensorflow": "tf.config.experimental.tensor_float_32_execution_enabled()",
    "jax": "__import__('jax').config.jax_default_matmul_precision != 'highest'",
    "torch": "__import__('torch').backends.cudnn.allow_tf32",
}
"""Whether numbers coarser than float32 may be used for float32."""


@pytest.mark.parametrize(
    "backend", [pytest.param(b, marks=[pytest.mark.slow] * (b != "tensorflow")) for b in ASKED]
)
def test_float32_is_ieee_single_precision_on_every_device(backend):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    code = (
        "from benchmark.machine.environment import Environment\n"
        "from benchmark.training.network import configure_framework\n"
        f"configure_framework(Environment({backend!r}, 'cpu', 1))\n"
        f"import tensorflow as tf; print({ASKED[backend]})"
    )
    told = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"KERAS_BACKEND": backend, "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.split()[-1] == "False"
