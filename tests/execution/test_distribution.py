"""One network on two devices, which are made of the cores of this machine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from benchmark.cli import main
from benchmark.data.pipeline import evaluation_batches
from benchmark.errors import UserError
from benchmark.machine.environment import Environment
from benchmark.records.store import Results
from benchmark.scheduling.sharing import shares
from benchmark.training import distribution
from benchmark.training.distribution import check_divisible

ROOT = Path(__file__).parents[2]


def trained(folder: Path) -> subprocess.CompletedProcess:
    (part,) = shares(Environment("jax", "cpu", 1, devices=2))
    return subprocess.run(
        [sys.executable, "-m", "tests.execution.on_devices", str(folder)],
        env=os.environ | part.variables,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """What one device computes, two, and two after the first was killed."""
    folder = tmp_path_factory.mktemp("devices")
    for expected in (9, 0):
        told = trained(folder)
        assert told.returncode == expected, told.stderr
    names = ("one", "two", "resumed")
    return {name: dict(np.load(folder / name / "trained.npz")) for name in names}


@pytest.mark.slow
@pytest.mark.xdist_group("devices")
def test_two_devices_compute_what_one_does(found):
    one, two = found["one"], found["two"]
    assert len(one["losses"]) == 20
    for name in ("losses", "weights", "test"):
        np.testing.assert_allclose(two[name], one[name], rtol=1e-5, atol=1e-5)


@pytest.mark.slow
@pytest.mark.xdist_group("devices")
def test_every_image_is_predicted_once_though_devices_do_not_divide_them(found):
    shapes = {name: found["two"][name].shape for name in ("train", "validation", "test")}
    assert shapes == {"train": (33, 3), "validation": (7, 3), "test": (101, 3)}
    np.testing.assert_array_equal(found["two"]["validation"], found["two"]["test"][:7])


@pytest.mark.slow
@pytest.mark.xdist_group("devices")
def test_a_training_on_two_devices_goes_on_after_a_kill(found):
    assert len(found["resumed"]["losses"]) == 10, "of the second epoch"
    np.testing.assert_array_equal(found["resumed"]["weights"], found["two"]["weights"])


@pytest.mark.parametrize("backend", ["tensorflow", "torch"])
def test_other_backends_are_refused_with_the_reason(backend):
    with pytest.raises(UserError, match=r"for JAX .*Keras"):
        shares(Environment(backend, "cpu", 1, devices=2))


def test_what_cannot_be_divided_is_told(monkeypatch):
    with pytest.raises(UserError, match="Say 2, 4, 8"):
        shares(Environment("jax", "cpu", 1, devices=3))
    monkeypatch.setattr(distribution, "replicas", lambda: 4)
    check_divisible(8)
    with pytest.raises(UserError, match="30 images at a time cannot be divided among 4 devices"):
        check_divisible(30)


def test_the_last_batch_is_filled_up():
    images = np.full((5, 2, 2), 255, np.uint8)
    *_, last = evaluation_batches(images, 4, None, 4).as_numpy_iterator()
    assert last.shape == (4, 2, 2, 1)
    assert last[:, 0, 0, 0].tolist() == [1, 0, 0, 0]


@pytest.mark.slow
@pytest.mark.xdist_group("devices")
def test_a_run_on_two_devices_says_so_in_its_row(phantom, tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    _, data_dir, cache_dir = phantom
    folders = ["--results", tmp_path, "--data-dir", data_dir, "--cache-dir", cache_dir]
    command = ["run", "--suite", "phantom", "--dataset", "thorax_phantom/small"]
    command += ["--device", "cpu", "--devices-per-spec", "2"]
    command += ["--filter", "model=linear,seed=0", *map(str, folders)]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 0, result.output
    (row,) = Results(tmp_path).rows()
    assert (row.status, row.environment.devices) == ("done", 2)
