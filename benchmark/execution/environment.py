"""What this machine computes with. Asks no framework, so that planning stays instant."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import benchmark
from benchmark.errors import UnknownName

BACKENDS = ("tensorflow", "jax", "torch")
DEVICES = ("cpu", "gpu", "tpu")
PACKAGES = ("keras", "tensorflow", "tensorflow-datasets", "keras-cv", "jax", "torch", "numpy")


@dataclass(frozen=True)
class Environment:
    """The arithmetic that goes into a cell's id.

    Attributes:
        backend: Keras backend (environment variable KERAS_BACKEND, else TensorFlow).
        device: ``"cpu"``, ``"gpu"`` or ``"tpu"`` (CXR_BENCH_DEVICE, else what is found).
        threads: CPU cores this process may use.
    """

    backend: str
    device: str
    threads: int


def current() -> Environment:
    """The environment of this process.

    Raises:
        UnknownName: KERAS_BACKEND or CXR_BENCH_DEVICE names nothing known.
    """
    backend = os.environ.get("KERAS_BACKEND", "tensorflow")
    device = os.environ.get("CXR_BENCH_DEVICE") or _device()
    if backend not in BACKENDS:
        raise UnknownName("KERAS_BACKEND", backend, BACKENDS)
    if device not in DEVICES:
        raise UnknownName("CXR_BENCH_DEVICE", device, DEVICES)
    return Environment(backend, device, len(os.sched_getaffinity(0)))


def _device() -> str:
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1")
    if shutil.which("nvidia-smi") and not hidden:
        return "gpu"
    return "tpu" if os.environ.get("TPU_NAME") or Path("/dev/accel0").exists() else "cpu"


@cache
def provenance() -> dict[str, Any]:
    """Code version, commit, package versions and hardware, for a row."""
    return {
        "code_version": benchmark.__version__,
        "commit": _commit(),
        "python": platform.python_version(),
        "packages": {name: v for name in PACKAGES if (v := _version(name))},
        "hardware": {
            "cpu": _cpu_name(),
            "cores": len(os.sched_getaffinity(0)),
            "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        },
    }


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if "model name" in line)
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _commit() -> str | None:
    """The code's git commit, with ``+`` where tracked files differ from it; None outside git."""
    folder = Path(benchmark.__file__).parent
    try:
        commit = _git(folder, "rev-parse", "HEAD")
        return commit + ("+" if _git(folder, "status", "--porcelain", "-uno", ".") else "")
    except (OSError, subprocess.CalledProcessError):
        return None


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
