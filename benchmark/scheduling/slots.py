"""What specs are run in: slots, and the executors that have them.

The runner knows these two interfaces and nothing of processes or clusters. An executor is one file
in ``executors/``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from benchmark.machine.devices import Device
from benchmark.machine.environment import Environment
from benchmark.spec import Spec

Event = dict[str, Any]
"""What happens to a spec, as plain values; ``event`` names its kind."""
ENDINGS = ("done", "failed", "lost")
"""The kinds of a spec's last event. A ``lost`` one was no fault of the spec: its slot was taken
away, or another run has it now. It is never a row; the spec is given to a slot again. With ``gone``
the slot is no more, and gets no other spec."""


@dataclass(frozen=True)
class Folders:
    """Where a run reads and writes."""

    data_dir: Path
    cache_dir: Path
    results: Path
    models_dirs: tuple[Path, ...] = ()
    weights_dirs: tuple[Path, ...] = ()

    def as_message(self) -> dict[str, Any]:
        """As a worker gets them, JSON-ready: it may have another current folder."""
        return {
            "data_dir": str(self.data_dir.resolve()),
            "cache_dir": str(self.cache_dir.resolve()),
            "results": str(self.results.resolve()),
            "models_dirs": [str(folder.resolve()) for folder in self.models_dirs],
            "weights_dirs": [str(folder.resolve()) for folder in self.weights_dirs],
        }


@dataclass(frozen=True)
class Limits:
    """What a worker may take before it is ended; its spec then fails and says why.

    Attributes:
        silent_seconds: time without an event. A worker that trains or predicts speaks every few
            seconds, but the first step of a large network comes after minutes of compilation.
        memory_mb: memory of the run's own, pages mapped from files not counted, which its slots
            share; None for no limit.
    """

    silent_seconds: float = 1800.0
    memory_mb: int | None = None


@dataclass(frozen=True)
class Job:
    """A spec as a slot gets it.

    Attributes:
        suite: that it is run for.
        replace: whether a finished row of the spec gives way.
        claim: the file by which a run holds the spec, and what is in it for as long.
        alone: whether nothing runs beside it, so that it may take all memory.
        sizes: at which specs of the run see the same images; views of them are made together.
        own_model: the name of a model file that is not of this package; what it changes in its
            process is not to reach other models.
    """

    spec: Spec
    suite: str
    replace: bool
    claim: tuple[Path, bytes]
    alone: bool = False
    sizes: tuple[int, ...] = ()
    own_model: str = ""

    def as_message(self) -> dict[str, Any]:
        """As a worker gets it, JSON-ready."""
        path, data = self.claim
        return {
            "spec": self.spec.as_dict(),
            "suite": self.suite,
            "replace": self.replace,
            "claim": [str(path.resolve()), data.decode()],
            "sizes": self.sizes,
        }


@dataclass(frozen=True)
class SlotFacts:
    """What a slot computes with.

    Attributes:
        environment: backend, device and threads of its worker.
        memory_mb: that a spec may take beside those of other slots; None where nothing limits it.
        devices: its accelerators; none on a CPU.
        sharing: slots that have these accelerators at the same time.
    """

    environment: Environment
    memory_mb: int | None = None
    devices: tuple[Device, ...] = ()
    sharing: int = 1


class Slot(Protocol):
    """A place where one spec runs at a time: a set of cores, a GPU, a node."""

    def run(self, job: Job) -> Iterator[Event]:
        """Run a spec and yield its events; the last one's kind is one of :data:`ENDINGS`."""

    def close(self) -> None:
        """End what runs, at once; it is then lost. May be called from another thread."""

    def facts(self) -> SlotFacts:
        """What it computes with."""


class Executor(Protocol):
    """Where slots come from."""

    def slots(self) -> Sequence[Slot]:
        """The slots, at least one; each is closed by who asked for them."""

    def close(self) -> None:
        """End what it began beside its slots."""
