"""The accelerators of this machine, as a backend finds them and as their driver names them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from benchmark.machine import control_groups
from benchmark.machine.devices import Device, Found, find
from benchmark.records.run_facts import Accelerator

SCRIPT = Path(__file__).with_name("devices.py")
ANSWER_SECONDS = 300.0
VISIBLE = "CUDA_VISIBLE_DEVICES"
"""Which GPUs a process may use; AMD's libraries go by it, too."""
QUIET = {
    "TF_CPP_MIN_LOG_LEVEL": "2",
    "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
    "CUDA_DEVICE_ORDER": "PCI_BUS_ID",  # as nvidia-smi counts them
}
GOOGLE = "0x1ae0"
TPUS = ("0x0027", "0x005e", "0x0062", "0x0063", "0x006f", "0x0076")
"""Devices of Google's on the PCI bus: TPU v2 and v3, v4, v5p, v5e, v6e, 7x. Hosts of the later ones
have no /dev/accel0, and /dev/vfio says nothing of what is behind it."""


def found_by(backend: str, kind: str) -> Found:
    """The devices of a kind that a backend finds, asked in a process of its own. Never raises.

    This process neither imports the framework nor takes memory of a GPU.

    Args:
        kind: ``"gpu"`` or ``"tpu"``.
    """
    command = [sys.executable, "-P", str(SCRIPT), backend, kind]
    try:
        told = subprocess.run(
            command, capture_output=True, text=True, check=True, timeout=ANSWER_SECONDS,
            env=os.environ | QUIET,
        )  # fmt: skip
        # Libraries print before it.
        devices, problem = json.loads(told.stdout.splitlines()[-1])
        return Found([Device(*each) for each in devices], problem)
    except subprocess.TimeoutExpired:
        return Found([], f"it has not answered for {ANSWER_SECONDS:g} s")
    except subprocess.CalledProcessError as error:
        lines = error.stderr.strip().splitlines() or [f"exit code {error.returncode}"]
        return Found([], lines[-1])
    except (OSError, ValueError, LookupError, TypeError) as error:
        return Found([], f"no answer that could be read ({error})")


def has_tpu() -> bool:
    """Whether this is a TPU's host, told without a framework."""
    root = control_groups.ROOT
    if os.environ.get("TPU_NAME") or (root / "dev/accel0").exists():
        return True
    return any(map(_is_tpu, (root / "sys/bus/pci/devices").glob("*")))


def _is_tpu(device: Path) -> bool:
    try:
        vendor, kind = ((device / name).read_text().strip() for name in ("vendor", "device"))
    except OSError:
        return False
    return vendor == GOOGLE and kind in TPUS


def visible_gpus(count: int) -> tuple[str, ...]:
    """The ``count`` GPUs that a backend found here, each as :data:`VISIBLE` would name it."""
    named = [name.strip() for name in os.environ.get(VISIBLE, "").split(",") if name.strip()]
    return tuple(named[:count] if len(named) >= count else map(str, range(count)))


@contextmanager
def hidden_gpus() -> Iterator[None]:
    """A framework that is started meanwhile finds no GPU, now or later, and so takes none of it."""
    before = os.environ.get(VISIBLE)
    os.environ[VISIBLE] = "-1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[VISIBLE]
        else:
            os.environ[VISIBLE] = before


@cache
def accelerator(backend: str, device: str) -> Accelerator | None:
    """The accelerators of this process as their driver, or else the backend, names them.

    None on a CPU, and where only a backend could tell that is not in use here.
    """
    if device == "gpu" and (found := _nvidia()):
        return found
    if device == "cpu" or backend not in sys.modules:
        return None
    devices = find(backend, device).devices
    if not devices:
        return None
    return Accelerator(name=devices[0].name, count=len(devices), memory_gb=None, driver=None)


def _nvidia() -> Accelerator | None:
    fields = "name,memory.total,driver_version"
    command = ["nvidia-smi", f"--query-gpu={fields}", "--format=csv,noheader,nounits"]
    command += ["-i", visible] if (visible := os.environ.get(VISIBLE)) else []
    try:
        told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
        lines = [line.split(", ") for line in told.stdout.strip().splitlines()]
        name, memory, driver = lines[0]
        return Accelerator(
            name=name, count=len(lines), memory_gb=round(float(memory) / 1024, 1), driver=driver
        )
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        return None
