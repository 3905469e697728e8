"""Small models on the JAX backend, from the same tf.data pipeline as on TensorFlow."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from benchmark.data.pipeline import evaluation_batches
from benchmark.models import create, discover
from tests.models.small import SIZE, TASK, some_images

pytestmark = pytest.mark.xdist_group("jax")
KINDS = ("cnn", "linear", "thamilarasi5")
OTHERS = (
    *("gielczyk", "mlp", "s1_cnn", "s1_dense", "s2_cnn", "vit"),
    *(f"thamilarasi{variant}" for variant in (1, 2, 3, 4)),
)
MODELS = [
    *(pytest.param(KINDS, name, id=name) for name in KINDS),
    *(pytest.param(OTHERS, name, id=name, marks=pytest.mark.slow) for name in OTHERS),
]
# Compiled in haste, which is the faster for a single step.
JAX = {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu", "JAX_DISABLE_MOST_OPTIMIZATIONS": "1"}


@pytest.fixture(scope="module")
def folder(request, tmp_path_factory):
    """What tests.models.on_jax wrote about some models; one process for all of them."""
    folder = tmp_path_factory.mktemp("jax")
    command = [sys.executable, "-m", "tests.models.on_jax", str(folder), *request.param]
    done = subprocess.run(command, env=os.environ | JAX, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


@pytest.mark.parametrize(("folder", "name"), MODELS, indirect=["folder"], scope="module")
def test_a_model_trains_saves_and_loads_on_jax_and_predicts_the_same_on_tensorflow(name, folder):
    result = np.load(folder / f"{name}.npz")
    assert np.isfinite(result["loss"]).all()
    assert result["new"]
    assert result["kept"]
    here = create(discover()[name], SIZE, TASK, "own")
    here.load_weights(folder / f"{name}.keras")
    logits = here.predict(evaluation_batches(some_images(), 4), verbose=0)
    np.testing.assert_allclose(result["logits"], logits, rtol=1e-3, atol=1e-4)
