"""A slot on a node of a Ray cluster: the actor that has a worker there. Runs in Ray's processes.

Data and cache folders are the same on all nodes. The results folder may be: then the worker writes
into it. Where it is not, what a spec is made from comes with it, and what it leaves goes back.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from benchmark.hashing import sha256
from benchmark.machine.environment import Environment, check
from benchmark.records.store import Results
from benchmark.scheduling.carrying import Files, files_of, put, remove
from benchmark.scheduling.executors import Asked, memory_limit_mb
from benchmark.scheduling.executors.local import LocalSlot
from benchmark.scheduling.sharing import Share, shares
from benchmark.scheduling.slots import ENDINGS, Event, Job, Limits, SlotFacts


@dataclass(frozen=True)
class Place:
    """What an actor is given of its node.

    Attributes:
        number: of the slot.
        backend, device: to compute with.
        cpus: cores.
        parts: slots that have a part of the node's memory each.
        mark: a file of the results folder, by which it is known where that is shared.
    """

    number: int
    backend: str
    device: str
    cpus: int
    parts: int
    mark: Path


class SlotActor:
    """Runs specs one after another in one worker process."""

    def __init__(self, asked: Asked, place: Place):
        environment = Environment(place.backend, place.device, place.cpus, asked.devices_per_spec)
        (share,) = shares(environment, check(environment), jobs=1)
        sharing = asked.jobs_per_gpu if place.device == "gpu" else 1
        share = replace(share, parts=place.parts, sharing=sharing)
        self._shared = place.mark.is_file()
        self._results = asked.folders.results if self._shared else _own_folder(place)
        self._slot = _slot(asked, place, share, self._results)

    def facts(self) -> SlotFacts:
        """What it computes with; that it answers says that it is placed."""
        return self._slot.facts()

    def shares_results(self) -> bool:
        """Whether it sees the results folder, and needs nothing carried."""
        return self._shared

    def run(self, job: Job, needed: Files) -> Iterator[Event]:
        """Run a spec; before the last event comes one that holds the files to be carried back.

        Args:
            needed: files of what it is made from, where the results folder is not shared.
        """
        if self._shared:
            yield from self._slot.run(job)
            return
        claim = self._results / "claims" / job.claim[0].name
        put(self._results, needed | {f"claims/{claim.name}": job.claim[1]})
        left: Files = {}
        try:
            for event in self._slot.run(replace(job, claim=(claim, job.claim[1]))):
                if event["event"] in ENDINGS:
                    left = files_of(Results(self._results), job.spec.spec_id)
                    yield {"event": "files", "files": left}
                yield event
        finally:
            remove(self._results, [*needed, *left, f"claims/{claim.name}"])


def _slot(asked: Asked, place: Place, share: Share, results: Path) -> LocalSlot:
    folders = replace(asked.folders, results=results)
    log = Results(results).log_path(f"worker-{os.uname().nodename}-{place.number}")
    limits = Limits(asked.silent_seconds, memory_limit_mb(asked))
    return LocalSlot(folders.as_message(), share, log, limits)


def _own_folder(place: Place) -> Path:
    """A results folder of the slot's own on its node: checkpoints are found there again."""
    name = f"{sha256(str(place.mark.parent).encode())[:12]}-{place.number}"
    folder = Path(tempfile.gettempdir()) / f"cxr-bench-{os.getuid()}" / name
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder
