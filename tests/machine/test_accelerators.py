"""Machines with accelerators, made up: which there are, and what of them a process gets."""

from __future__ import annotations

import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from benchmark.machine import accelerators
from benchmark.machine.accelerators import (
    VISIBLE,
    accelerator,
    found_by,
    has_tpu,
    hidden_gpus,
    visible_gpus,
)
from benchmark.machine.device_memory import peak_device_memory_mb, reset_peak_device_memory
from benchmark.machine.devices import Device, Found, find
from benchmark.machine.environment import Environment, current
from tests.machine.fakes import FRAMEWORKS


@pytest.fixture(params=FRAMEWORKS)
def backend(request, tmp_path, monkeypatch):
    """A backend of which there is a made-up package, for the processes that are started."""
    (tmp_path / f"{request.param}.py").write_text(FRAMEWORKS[request.param])
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return request.param


def test_every_backend_names_its_gpus_and_says_which_have_bfloat16(backend):
    cards = [Device("Old", False), Device("Old", False), Device("New", True)]
    assert found_by(backend, "gpu") == Found(cards)


def test_a_backend_without_tpus_finds_none(backend):
    assert found_by(backend, "tpu") == Found([])


@pytest.mark.parametrize("backend", FRAMEWORKS)
def test_whatever_goes_wrong_is_told_and_not_raised(backend, monkeypatch):
    monkeypatch.setitem(sys.modules, backend, SimpleNamespace())
    found = find(backend, "gpu")
    assert found.devices == []
    assert found.problem.startswith("AttributeError")


def test_amds_numbers_are_not_taken_for_nvidias(monkeypatch):
    card = SimpleNamespace(device_kind="AMD Instinct MI50", compute_capability="9.0")
    jax = SimpleNamespace(devices=lambda kind: [card])
    monkeypatch.setitem(sys.modules, "jax", jax)
    assert find("jax", "gpu").devices == [Device("AMD Instinct MI50", None)]


@pytest.mark.parametrize(
    ("ids", "tpu"), [(("0x1ae0", "0x0063"), True), (("0x1ae0", "0x0042"), False)]
)
def test_a_tpu_is_known_by_its_place_on_the_bus(machine, monkeypatch, ids, tpu):
    monkeypatch.delenv("TPU_NAME", raising=False)
    for name, text in zip(("vendor", "device"), ids, strict=True):
        machine.has(f"sys/bus/pci/devices/0000:00:04.0/{name}", f"{text}\n")
    machine.has("sys/bus/pci/devices/0000:00:05.0/vendor", "0x8086\n")
    assert has_tpu() == tpu
    monkeypatch.setattr("shutil.which", lambda name: None)
    monkeypatch.delenv("CXR_BENCH_DEVICE", raising=False)
    assert current().device == ("tpu" if tpu else "cpu")


def test_what_is_asked_for_goes_before_what_is_found(monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    monkeypatch.delenv(VISIBLE, raising=False)
    monkeypatch.delenv("CXR_BENCH_DEVICE", raising=False)
    assert current().device == "gpu"
    monkeypatch.setenv("CXR_BENCH_DEVICE", "tpu")
    assert current("auto").device == "tpu"
    assert current("cpu").device == "cpu"


def test_gpus_keep_the_names_by_which_a_batch_system_gave_them(monkeypatch):
    monkeypatch.delenv(VISIBLE, raising=False)
    assert visible_gpus(2) == ("0", "1")
    monkeypatch.setenv(VISIBLE, "GPU-1f, 5")
    assert visible_gpus(2) == ("GPU-1f", "5")


def test_gpus_are_hidden_for_a_while_only(monkeypatch):
    monkeypatch.setenv(VISIBLE, "3")
    with hidden_gpus():
        assert os.environ[VISIBLE] == "-1"
    assert os.environ[VISIBLE] == "3"


def test_a_row_names_the_gpus_of_its_worker_and_not_those_of_the_machine(monkeypatch):
    def smi(command, **options):
        assert command[-2:] == ["-i", "2"]
        return SimpleNamespace(stdout="NVIDIA A100-SXM4-40GB, 40960, 550.54\n")

    monkeypatch.setattr(accelerators.subprocess, "run", smi)
    monkeypatch.setenv(VISIBLE, "2")
    found = accelerator.__wrapped__("jax", "gpu")
    assert (found.name, found.count, found.memory_gb) == ("NVIDIA A100-SXM4-40GB", 1, 40.0)


def test_without_a_driver_to_ask_nothing_is_made_up(monkeypatch):
    def missing(command, **options):
        raise subprocess.SubprocessError

    monkeypatch.setattr(accelerators.subprocess, "run", missing)
    assert accelerator.__wrapped__("torch", "gpu") is None


MB = 2**20
COUNTING = {
    "tensorflow": SimpleNamespace(
        config=SimpleNamespace(
            experimental=SimpleNamespace(
                reset_memory_stats=lambda device: None,
                get_memory_info=lambda device: {"current": 1, "peak": {"GPU:0": 300 * MB}[device]},
            )
        )
    ),
    "jax": SimpleNamespace(
        local_devices=lambda: [
            SimpleNamespace(memory_stats=lambda n=n: {"peak_bytes_in_use": n * MB})
            for n in (200, 300)
        ]
    ),
    "torch": SimpleNamespace(
        cuda=SimpleNamespace(
            reset_peak_memory_stats=lambda: None, max_memory_allocated=lambda: 300 * MB
        )
    ),
}


@pytest.mark.parametrize("backend", COUNTING)
def test_peak_memory_of_a_device_is_what_its_framework_counts(backend, monkeypatch):
    monkeypatch.setitem(sys.modules, backend, COUNTING[backend])
    gpu = Environment(backend, "gpu", 1)
    reset_peak_device_memory(gpu)
    assert peak_device_memory_mb(gpu) == 300
    assert peak_device_memory_mb(Environment(backend, "cpu", 1)) is None


@pytest.mark.parametrize("backend", COUNTING)
def test_a_framework_that_counts_nothing_costs_no_result(backend, monkeypatch):
    monkeypatch.setitem(sys.modules, backend, SimpleNamespace())
    gpu = Environment(backend, "gpu", 1)
    reset_peak_device_memory(gpu)
    assert peak_device_memory_mb(gpu) is None
