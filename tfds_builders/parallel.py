"""Work on all cores, results in the order of the input, memory bounded."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

AHEAD = 2
"""Items per thread that are taken before the oldest result is handed out."""


def cores() -> int:
    """Processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def in_order(
    function: Callable[[Item], Result], items: Iterable[Item], workers: int | None = None
) -> Iterator[Result]:
    """What ``map(function, items)`` yields, computed in threads.

    Threads suffice where the function spends its time in decoders, which let go of Python's lock.
    Items are drawn in the caller's thread, one after another, at most ``AHEAD`` a thread before
    their turn. What ``function`` raises is raised here, in its turn.

    Args:
        workers: threads; None takes one for each core.
    """
    workers = workers or cores()
    pending: deque = deque()
    with ThreadPoolExecutor(workers, thread_name_prefix="check") as pool:
        try:
            for item in items:
                pending.append(pool.submit(function, item))
                if len(pending) > AHEAD * workers:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:  # else the pool would first finish what nobody waits for
                future.cancel()
