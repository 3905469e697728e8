"""Where slots come from: one file an executor, found by its name.

Each has a function ``open_executor(asked: Asked) -> Executor``.
"""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass

from benchmark.errors import check_names
from benchmark.scheduling.slots import Executor, Folders

SHARE_OF_MEMORY = 0.9


@dataclass(frozen=True)
class Asked:
    """What a person asks of an executor.

    Attributes:
        folders: that workers read and write.
        device: to compute with, ``"auto"`` for what is found.
        jobs: specs side by side; None for as many as the devices have room for.
        jobs_per_gpu: of these, that share a GPU.
        devices_per_spec: that one network is trained on.
        silent_seconds: without an event after which a worker is ended.
        memory_mb: that all workers of a machine may take; None for most of what is free there.
        address: of a cluster that runs already; empty for none.
    """

    folders: Folders
    device: str = "auto"
    jobs: int | None = None
    jobs_per_gpu: int = 1
    devices_per_spec: int = 1
    silent_seconds: float = 1800.0
    memory_mb: int | None = None
    address: str = ""


def names() -> list[str]:
    """Every executor there is; imports none."""
    return sorted(each.name for each in pkgutil.iter_modules(__path__) if each.name[0] != "_")


def open_executor(name: str, asked: Asked) -> Executor:
    """The executor called ``name``, to be closed by who asked for it.

    Raises:
        UnknownName: there is none.
        UserError: it cannot give what is asked for.
    """
    check_names("executor", [name], names())
    return importlib.import_module(f"{__name__}.{name}").open_executor(asked)


def memory_limit_mb(asked: Asked) -> int | None:
    """Of this machine: what was asked for, or most of what is free, so that none is pushed out."""
    from benchmark.machine.memory import available_memory_mb

    if asked.memory_mb is not None:
        return asked.memory_mb
    available = available_memory_mb()
    return None if available is None else round(SHARE_OF_MEMORY * available)
