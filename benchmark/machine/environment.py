"""What a worker computes with, and what a row says about it. Planning asks none of this."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import benchmark
from benchmark.errors import UnknownName, UserError
from benchmark.machine.accelerators import VISIBLE, accelerator, found_by, has_tpu
from benchmark.machine.cores import usable_cores
from benchmark.machine.devices import Device, Found
from benchmark.records.run_facts import EnvironmentFacts, KerasSettings

BACKENDS = ("tensorflow", "jax", "torch")
DEVICES = ("cpu", "gpu", "tpu")
AUTO = "auto"
"""In place of a device: what is found."""
PACKAGES = (
    "keras",
    "tensorflow",
    "tensorflow-cpu",
    "tensorflow-datasets",
    "keras-cv",
    "jax",
    "jaxlib",
    "jax-cuda12-plugin",
    "jax-cuda13-plugin",
    "torch",
    "nvidia-cuda-runtime",
    "nvidia-cuda-runtime-cu12",
    "nvidia-cudnn-cu12",
    "numpy",
    "scipy",
    "scikit-learn",
    "pillow",
)
KERAS = KerasSettings(floatx="float32", epsilon=1e-7, image_data_format="channels_last")
"""Keras' own defaults, which a worker returns to before every spec: neither a person's keras.json
nor the model file before may change a number."""


@dataclass(frozen=True)
class Environment:
    """What a worker is started with.

    Attributes:
        backend: Keras backend (environment variable KERAS_BACKEND, else TensorFlow).
        device: ``"cpu"``, ``"gpu"`` or ``"tpu"`` (CXR_BENCH_DEVICE, else what is found).
        threads: CPU cores that it may use.
        devices: on how many devices one network is trained at a time.
    """

    backend: str
    device: str
    threads: int
    devices: int = 1


def current(device: str = AUTO) -> Environment:
    """The environment of this process.

    Args:
        device: that is asked for; else CXR_BENCH_DEVICE has it, else what is found.

    Raises:
        UnknownName: KERAS_BACKEND or the device names nothing known.
    """
    backend = os.environ.get("KERAS_BACKEND", "tensorflow")
    asked = (device, os.environ.get("CXR_BENCH_DEVICE") or AUTO)
    device = next((each for each in asked if each != AUTO), "") or _device()
    if backend not in BACKENDS:
        raise UnknownName("KERAS_BACKEND", backend, BACKENDS)
    if device not in DEVICES:
        raise UnknownName("CXR_BENCH_DEVICE", device, DEVICES)
    return Environment(backend, device, usable_cores())


def check(environment: Environment) -> tuple[Device, ...]:
    """Make sure that a worker can be started with this, before anything is planned for it.

    Imports no framework. Takes seconds where an accelerator is asked for, no time else.

    Returns:
        The accelerators that the backend finds; none on a CPU.

    Raises:
        UserError: the backend is not installed, or finds no such device.
    """
    check_installed(environment.backend)
    if environment.device == "cpu":
        return ()
    return check_found(environment, found_by(environment.backend, environment.device))


def check_installed(backend: str) -> None:
    """Raise a UserError where a backend is not installed, or TensorFlow, which reads the images."""
    uses = {backend: "the Keras backend that is asked for"} | {"tensorflow": "which reads images"}
    for name, use in uses.items():
        if importlib.util.find_spec(name) is None:
            raise UserError(f"{name}, {use}, is not installed. Install it: pip install {name}")


def check_found(environment: Environment, found: Found) -> tuple[Device, ...]:
    """The devices of the environment's kind; a UserError where the backend found none."""
    backend, device = environment.backend, environment.device
    if found.problem:
        raise UserError(f"the {backend} backend cannot be asked for a {device}: {found.problem}")
    if not found.devices:
        raise UserError(
            f"this machine was taken to have a {device}, but {backend} finds none. Install a "
            f"{backend} that supports it, or train on the CPU: --device cpu, or "
            "CXR_BENCH_DEVICE=cpu."
        )
    return tuple(found.devices)


def _device() -> str:
    hidden = os.environ.get(VISIBLE) in ("", "-1")
    if any(map(shutil.which, ("nvidia-smi", "rocm-smi"))) and not hidden:
        return "gpu"
    return "tpu" if has_tpu() else "cpu"


def environment_facts(environment: Environment | None) -> EnvironmentFacts:
    """What a row says about where it was made; of predictions from elsewhere next to nothing."""
    if environment is None:
        unknown: dict[str, Any] = dict.fromkeys(EnvironmentFacts.__struct_fields__)
        here = {"python": platform.python_version(), "packages": versions(), "devices": 1}
        return EnvironmentFacts(**unknown | here)
    return EnvironmentFacts(
        backend=environment.backend,
        device=environment.device,
        accelerator=accelerator(environment.backend, environment.device),
        threads=environment.threads,
        machine=platform.machine() or None,
        cpu=_cpu_facts().get("model name") or platform.processor() or None,
        cores=usable_cores(),
        memory_gb=_memory_gb(),
        system=platform.platform(),
        python=platform.python_version(),
        packages=versions(),
        keras=KERAS,
        devices=environment.devices,
    )


@cache
def versions() -> dict[str, str]:
    """Versions of the packages that compute, by name."""
    return {name: v for name in PACKAGES if (v := installed_version(name))}


def fix_keras_settings() -> None:
    """Bring Keras' global settings back to :data:`KERAS`, whoever changed them."""
    import keras

    keras.config.set_floatx(KERAS.floatx)
    keras.config.set_epsilon(KERAS.epsilon)
    keras.config.set_image_data_format(KERAS.image_data_format)
    keras.config.set_dtype_policy(KERAS.floatx)
    for limit in ("set_max_epochs", "set_max_steps_per_epoch"):  # of keras.json, in newer Keras
        getattr(keras.config, limit, lambda value: None)(None)


def installed_version(package: str) -> str | None:
    """The version of a package; None where it is not installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _memory_gb() -> int | None:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30)
    except (ValueError, OSError, AttributeError):
        return None


def _cpu_facts() -> dict[str, str]:
    """Facts of the first CPU as the system lists them; nothing where it does not."""
    try:
        lines = Path("/proc/cpuinfo").read_text().split("\n\n")[0].splitlines()
    except OSError:
        return {}
    pairs = (line.split(":", 1) for line in lines if ":" in line)
    return {key.strip(): value.strip() for key, value in pairs}


@cache
def commit() -> str | None:
    """The code's git commit, with ``+`` where tracked files differ from it; None outside git."""
    folder = Path(benchmark.__file__).parent
    try:
        found = _git(folder, "rev-parse", "HEAD")
        return found + ("+" if _git(folder, "status", "--porcelain", "-uno", ".") else "")
    except (OSError, subprocess.CalledProcessError):
        return None


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
