"""Specs that wait for a slot."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from benchmark.planning.plan import PlannedSpec


@dataclass(eq=False)
class Waiting:
    """A spec that waits for a slot, or has one.

    Attributes:
        cost: nominal seconds that it takes.
        written: when the row that the plan saw was written, in nanoseconds; None where it saw none.
        alone: whether it is too large to run beside others.
        lost: how many times its slot was taken away.
    """

    planned: PlannedSpec
    cost: float
    written: int | None
    alone: bool = False
    lost: int = 0

    @property
    def spec_id(self) -> str:
        """Of its spec."""
        return self.planned.spec.spec_id


class ReadyQueue:
    """Specs in the order in which they get a slot; what one is made from ends before it begins.

    Args:
        waiting: in the order of the plan.
        largest_first: whether the dearest gets a slot first, so that the last to end is a small
            one; for one slot the order of the plan stays.
    """

    def __init__(self, waiting: Iterable[Waiting], *, largest_first: bool = False):
        self._waiting = list(waiting)
        if largest_first:
            self._waiting.sort(key=lambda each: -each.cost)
        self._running: set[str] = set()

    def __len__(self) -> int:
        return len(self._waiting)

    def ready(self) -> Iterator[Waiting]:
        """Those that nothing which waits or runs must come before; what must run alone is last."""
        unfinished = {each.spec_id for each in self._waiting} | self._running
        for each in sorted(self._waiting, key=lambda each: each.alone):
            if unfinished.isdisjoint(each.planned.spec.required_ids.values()):
                yield each

    def start(self, waiting: Waiting) -> None:
        """It has a slot now."""
        self._waiting.remove(waiting)
        self._running.add(waiting.spec_id)

    def end(self, waiting: Waiting) -> None:
        """It has ended, here or elsewhere."""
        self._running.discard(waiting.spec_id)
        if waiting in self._waiting:
            self._waiting.remove(waiting)

    def put_first(self, waiting: Waiting) -> None:
        """It is to have the next slot: it was begun before, or stands for one that was."""
        self._running.discard(waiting.spec_id)
        self._waiting.insert(0, waiting)
