"""The accelerators of this machine, as a backend finds them and as their driver names them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

from benchmark.errors import UserError
from benchmark.machine.devices import devices
from benchmark.records.row import Accelerator

SCRIPT = Path(__file__).with_name("devices.py")
ANSWER_SECONDS = 300.0
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "2", "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}


def found_by(backend: str, kind: str) -> list[str]:
    """Names of the devices of a kind that a backend finds, asked in a process of its own.

    This process neither imports the framework nor takes memory of a GPU.

    Args:
        kind: ``"gpu"`` or ``"tpu"``.

    Raises:
        UserError: the backend cannot be started.
    """
    command = [sys.executable, "-P", str(SCRIPT), backend, kind]
    try:
        told = subprocess.run(
            command, capture_output=True, text=True, check=True, timeout=ANSWER_SECONDS,
            env=os.environ | QUIET,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        why = f"it has not answered for {ANSWER_SECONDS:g} s"
    except subprocess.CalledProcessError as error:
        why = (error.stderr.strip().splitlines() or [f"exit code {error.returncode}"])[-1]
    else:
        return json.loads(told.stdout.splitlines()[-1])  # libraries print before it
    raise UserError(f"the {backend} backend cannot be asked for a {kind}: {why}")


@cache
def accelerator(backend: str, device: str) -> Accelerator | None:
    """The accelerators of this machine as their driver, or else the backend, names them.

    None on a CPU, and where only a backend could tell that is not in use here.
    """
    if device == "gpu" and (found := _nvidia()):
        return found
    if device == "cpu" or backend not in sys.modules:
        return None
    names = devices(backend, device)
    if not names:
        return None
    return Accelerator(name=names[0], count=len(names), memory_gb=None, driver=None)


def _nvidia() -> Accelerator | None:
    fields = "name,memory.total,driver_version"
    command = ["nvidia-smi", f"--query-gpu={fields}", "--format=csv,noheader,nounits"]
    try:
        told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
        lines = [line.split(", ") for line in told.stdout.strip().splitlines()]
        name, memory, driver = lines[0]
        return Accelerator(
            name=name, count=len(lines), memory_gb=round(float(memory) / 1024, 1), driver=driver
        )
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        return None
