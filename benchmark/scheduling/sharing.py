"""How a machine is shared out among its slots: cores, memory, accelerators."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace

from benchmark.errors import UserError
from benchmark.machine.accelerators import QUIET, VISIBLE, visible_gpus
from benchmark.machine.devices import Device
from benchmark.machine.environment import Environment

GROWTH = {"TF_FORCE_GPU_ALLOW_GROWTH": "true", "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
"""TensorFlow and JAX take memory of a GPU as they need it, as PyTorch does by itself."""
DETERMINISTIC = {"CUBLAS_WORKSPACE_CONFIG": ":4096:8"}
"""Without it NVIDIA's matrix products are not repeatable; see PyTorch's notes on randomness."""
DIVIDED = 64
"""Images that are predicted, or turned into features, at a time."""
WHY_NOT = {
    "tensorflow": "On TensorFlow Keras would train on one device all the same; TensorFlow's own "
    "strategy would weigh gradients otherwise than one device does where labels are missing.",
    "torch": "Keras has nothing of the kind for PyTorch.",
}
XLA_DETERMINISTIC = "--xla_gpu_deterministic_ops=true"
XLA_HOST_DEVICES = "--xla_force_host_platform_device_count={}"


@dataclass(frozen=True)
class Share:
    """A slot's part of a machine.

    Attributes:
        environment: of its worker; the threads are its own.
        cores: that it is bound to; None for all.
        parts: slots that have a part of the memory each.
        devices: its accelerators.
        visible: these GPUs, as CUDA_VISIBLE_DEVICES names them; None where there are none.
        sharing: slots that have these accelerators at the same time.
    """

    environment: Environment
    cores: list[int] | None = None
    parts: int = 1
    devices: tuple[Device, ...] = ()
    visible: str | None = None
    sharing: int = 1

    @property
    def variables(self) -> dict[str, str]:
        """Environment variables of its worker; those that a person may choose otherwise apart."""
        environment, flags = self.environment, os.environ.get("XLA_FLAGS", "").split()
        if environment.device != "gpu":
            given = {VISIBLE: "-1"}  # or TensorFlow would compute on one all the same
            if environment.device == "cpu":
                given["JAX_PLATFORMS"] = "cpu"
                flags += _host_devices(environment)
        else:
            given = {VISIBLE: self.visible or "", "CUDA_DEVICE_ORDER": QUIET["CUDA_DEVICE_ORDER"]}
            given |= DETERMINISTIC
            flags += [XLA_DETERMINISTIC] if environment.backend == "jax" else []
        given["KERAS_BACKEND"] = environment.backend
        return given | ({"XLA_FLAGS": " ".join(flags)} if flags else {})


def _host_devices(environment: Environment) -> list[str]:
    several = environment.backend == "jax" and environment.devices > 1
    return [XLA_HOST_DEVICES.format(environment.devices)] if several else []


def shares(
    environment: Environment,
    devices: Sequence[Device] = (),
    jobs: int | None = None,
    jobs_per_gpu: int = 1,
) -> list[Share]:
    """The slots of this machine.

    Args:
        environment: backend and device of all, the threads that they share, and on how many
            devices each trains one network.
        devices: the accelerators that the backend finds here.
        jobs: how many slots; None for as many as the accelerators have room for, on a CPU one.
        jobs_per_gpu: slots that share a GPU, or each group of GPUs that train one network.

    Raises:
        UserError: there are not enough accelerators for that, or the options do not go together.
    """
    if jobs_per_gpu > 1 and environment.device != "gpu":
        raise UserError(
            f"--jobs-per-gpu is for GPUs, and training is on the {environment.device}: say --jobs."
        )
    _check_several(environment)
    groups = _groups(environment, devices)
    room = len(groups) * jobs_per_gpu
    jobs = jobs or (1 if environment.device == "cpu" else room)
    if environment.device != "cpu" and jobs > room:
        raise UserError(
            f"--jobs {jobs} is more than the accelerators here have room for, {room}. Where "
            "several specs fit into the memory of one GPU, say --jobs-per-gpu."
        )
    alone = replace(environment, threads=max(1, environment.threads // jobs))
    found = []
    for i, cores in enumerate(shares_of_cores(environment.threads, jobs)):
        of_group = range(i % len(groups), jobs, len(groups)) if devices else [i]
        given, visible = groups[i % len(groups)]
        found.append(Share(alone, cores, jobs, given, visible, len(of_group)))
    return found


def _check_several(environment: Environment) -> None:
    """Raise a UserError where one network cannot be trained on so many devices, saying why."""
    if environment.devices == 1:
        return
    if environment.backend != "jax":
        raise UserError(
            f"--devices-per-spec is for JAX (KERAS_BACKEND=jax). {WHY_NOT[environment.backend]}"
        )
    if DIVIDED % environment.devices:
        raise UserError(
            f"--devices-per-spec {environment.devices}: images are predicted {DIVIDED} at a time, "
            "which must be divided evenly. Say 2, 4, 8 ..."
        )


def _groups(
    environment: Environment, devices: Sequence[Device]
) -> list[tuple[tuple[Device, ...], str | None]]:
    """The accelerators of each network that is trained at a time, and what makes them visible."""
    if environment.device == "cpu":
        return [((), None)]
    size, n = environment.devices, len(devices)
    if n < size:
        raise UserError(f"--devices-per-spec {size}: {environment.backend} finds only {n} here.")
    if environment.device == "tpu":  # a host's chips are one process's
        return [(tuple(devices), None)]
    ids = visible_gpus(n)
    starts = range(0, n - size + 1, size)
    return [(tuple(devices[i : i + size]), ",".join(ids[i : i + size])) for i in starts]


def shares_of_cores(threads: int, jobs: int) -> list[list[int] | None]:
    """The cores of each of several workers; None where one has them all, or they cannot be given.

    Where there are more workers than cores, some share one.
    """
    if jobs == 1 or not hasattr(os, "sched_getaffinity"):  # not on macOS and Windows
        return [None] * jobs
    cores, each = sorted(os.sched_getaffinity(0))[:threads], max(1, threads // jobs)
    return [[cores[(i * each + k) % len(cores)] for k in range(each)] for i in range(jobs)]
