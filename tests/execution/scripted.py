"""Slots that do as a script says, in place of worker processes."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator

from benchmark.scheduling.slots import Event, Job, SlotFacts
from tests.execution.conftest import ENVIRONMENT

LOST = {"event": "lost", "reason": "the node went away"}
SHORT = {"event": "failed", "status": "failed", "reason": "out of memory", "detail": "",
         "out_of_memory": True}  # fmt: skip
DONE = {"event": "done", "seconds": 1.0, "headline": ("test AUC", 0.5), "profile": {}}


class ScriptedSlot:
    """Ends every job as it is told.

    Args:
        ending: the last event of a job, by the slot's number and the job; it may wait, or raise.
    """

    def __init__(self, number: int, executor: ScriptedExecutor):
        self._number, self._executor = number, executor
        self.closed = threading.Event()

    def run(self, job: Job) -> Iterator[Event]:
        yield {"event": "epoch", "epoch": 1, "epochs": 1, "loss": 1.0, "val_auc": 0.5}
        yield self._executor.end(self._number, job)

    def close(self) -> None:
        self.closed.set()

    def facts(self) -> SlotFacts:
        return SlotFacts(ENVIRONMENT, self._executor.memory_mb)


class ScriptedExecutor:
    """So many scripted slots, and what happened in them in ``begun`` and ``ended``."""

    def __init__(
        self,
        n: int,
        ending: Callable[[int, Job], Event] = lambda number, job: DONE,
        memory_mb: int | None = None,
    ):
        self._ending, self.memory_mb = ending, memory_mb
        self.made = [ScriptedSlot(i, self) for i in range(n)]
        self._lock = threading.Lock()
        self.log: list[tuple[str, str]] = []
        self.tries: dict[str, int] = defaultdict(int)

    def slots(self):
        return self.made

    def end(self, number: int, job: Job) -> Event:
        spec_id = job.spec.spec_id
        with self._lock:
            self.log.append(("begin", spec_id))
            self.tries[spec_id] += 1
        event = self._ending(number, job)
        with self._lock:
            self.log.append(("end", spec_id))
        return event

    def order(self, what: str) -> list[str]:
        """Spec ids in the order in which they began or ended."""
        return [spec_id for kind, spec_id in self.log if kind == what]

    def beside(self, spec_id: str) -> int:
        """The most that ran beside a spec."""
        running, most = set(), 0
        for kind, each in self.log:
            (running.add if kind == "begin" else running.discard)(each)
            if spec_id in running:
                most = max(most, len(running) - 1)
        return most
