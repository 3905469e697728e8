"""Slots side by side, a thread each; what happens in them is told to one reader."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Sequence

from benchmark.scheduling.slots import ENDINGS, Event, Job, Slot


class SlotPool:
    """Drives slots, each in a thread of its own.

    Args:
        slots: closed with the pool.
    """

    def __init__(self, slots: Sequence[Slot]):
        self.slots = list(slots)
        self._jobs = [queue.SimpleQueue[Job | None]() for _ in slots]
        self._events = queue.SimpleQueue[tuple[int, Event]]()
        self._threads = [
            threading.Thread(target=self._drive, args=[i], daemon=True) for i in range(len(slots))
        ]
        for thread in self._threads:
            thread.start()

    def give(self, i: int, job: Job) -> None:
        """Give slot ``i``, which has nothing to do, a job."""
        self._jobs[i].put(job)

    def next_event(self, seconds: float) -> tuple[int, Event] | None:
        """The number of a slot and what happened there; None where nothing did for so long."""
        try:
            return self._events.get(timeout=seconds)
        except queue.Empty:
            return None

    def close(self) -> None:
        """End whatever runs."""
        for slot, jobs in zip(self.slots, self._jobs, strict=True):
            jobs.put(None)
            slot.close()
        for thread in self._threads:
            thread.join()

    def _drive(self, i: int) -> None:
        while (job := self._jobs[i].get()) is not None:
            for event in _ended(self.slots[i], job):
                self._events.put((i, event))


def _ended(slot: Slot, job: Job) -> Iterator[Event]:
    """The events of a job; a slot that breaks has lost it."""
    try:
        for event in slot.run(job):
            yield event
            if event["event"] in ENDINGS:
                return
        reason = "its slot told of no end"
    except Exception as fault:
        reason = f"its slot broke: {type(fault).__name__}: {fault}"
    yield {"event": "lost", "reason": reason}
