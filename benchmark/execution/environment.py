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
LARGE_GMACS = 2.0
PACKAGES = (
    "keras",
    "tensorflow",
    "tensorflow-cpu",
    "tensorflow-datasets",
    "keras-cv",
    "jax",
    "torch",
    "numpy",
)


@dataclass(frozen=True)
class Environment:
    """The arithmetic that goes into a cell's id.

    Attributes:
        backend: Keras backend (environment variable KERAS_BACKEND, else TensorFlow).
        device: ``"cpu"``, ``"gpu"`` or ``"tpu"`` (CXR_BENCH_DEVICE, else what is found).
        threads: CPU cores this process may use.
        fast_bfloat16: whether the hardware multiplies bfloat16 faster than float32.
    """

    backend: str
    device: str
    threads: int
    fast_bfloat16: bool = False

    def precision(self, wanted: str, gmacs_224: float | None) -> str:
        """The Keras dtype policy of a model.

        Measured on two cores with AVX-512 BF16: mixed_bfloat16 trains ResNet50 at 64 px half
        again as fast and DenseNet121 at 224 px twice, but gains nothing for GoogLeNet and less.

        Args:
            wanted: the recipe's; anything but ``"auto"`` is taken as it is.
            gmacs_224: the model's multiply-adds at 224 px in 1e9.
        """
        if wanted != "auto":
            return wanted
        large = (gmacs_224 or 0.0) >= LARGE_GMACS
        return "mixed_bfloat16" if large and self.fast_bfloat16 else "float32"


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
    fast_bfloat16 = device != "cpu" or "avx512_bf16" in _cpu_facts().get("flags", "")
    return Environment(backend, device, len(os.sched_getaffinity(0)), fast_bfloat16)


def _device() -> str:
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1")
    if shutil.which("nvidia-smi") and not hidden:
        return "gpu"
    return "tpu" if os.environ.get("TPU_NAME") or Path("/dev/accel0").exists() else "cpu"


@cache
def provenance() -> dict[str, Any]:
    """Code version, commit, package versions and hardware, for a row."""
    return {
        "commit": _commit(),
        **versions(),
        "hardware": {
            "cpu": _cpu_facts().get("model name") or platform.processor() or platform.machine(),
            "cores": len(os.sched_getaffinity(0)),
            "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        },
    }


def versions() -> dict[str, Any]:
    """Versions of this code, of Python and of the packages that compute."""
    return {
        "code_version": benchmark.__version__,
        "python": platform.python_version(),
        "packages": {name: v for name in PACKAGES if (v := _version(name))},
    }


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _cpu_facts() -> dict[str, str]:
    """Facts of the first CPU as the system lists them; nothing where it does not."""
    try:
        lines = Path("/proc/cpuinfo").read_text().split("\n\n")[0].splitlines()
    except OSError:
        return {}
    pairs = (line.split(":", 1) for line in lines if ":" in line)
    return {key.strip(): value.strip() for key, value in pairs}


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
