"""Batches that are sent ahead to an accelerator are the batches of a CPU."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from benchmark.data.pipeline import training_batches
from benchmark.training.feeding import sent_ahead
from tests.training.fed import EPOCHS, SECOND, STEPS


@pytest.mark.parametrize("backend", ["tensorflow", pytest.param("jax", marks=pytest.mark.slow)])
def test_the_numbers_are_those_of_a_cpu(backend):
    done = subprocess.run(
        [sys.executable, "-m", "tests.training.fed"],
        env=os.environ | {"KERAS_BACKEND": backend, "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    (cpu, _, in_turn), (gpu, where, ahead) = map(json.loads, done.stdout.splitlines())
    assert cpu == gpu
    steps = range(1, STEPS * EPOCHS + 1)
    assert in_turn == [*steps]
    if backend == "tensorflow":
        assert where.endswith(SECOND.replace("cpu", "device:CPU"))
        assert all(n <= given for n, given in zip(steps, ahead, strict=True))
    else:  # this Keras does by itself
        assert ahead == [min(n + 1, len(steps)) for n in steps]


def test_on_a_cpu_nothing_is_sent():
    images, targets = np.zeros((4, 8, 8), np.uint8), np.zeros((4, 1))
    batches = training_batches(images, targets, batch_size=4, seed=0, epochs=1)
    assert sent_ahead(batches, "cpu") is batches
