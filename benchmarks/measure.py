"""What a measurement says: ours beside something else, in one run, and what was aimed at."""

from __future__ import annotations

import multiprocessing
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

Found = TypeVar("Found")


@dataclass(frozen=True)
class Measure:
    """A line of the table.

    Attributes:
        what: was measured.
        ours, theirs: rates or seconds, in ``unit``; ``theirs`` is None where there is no pair.
        beside: what ``theirs`` is.
        ratio: the median over pairs, or a share.
        goal: what the ratio, or the rate, should be, in words.
        reached: whether it is; None where there was no goal.
        cpu: the same ratio of processor time, which what else runs on the machine changes less.
    """

    what: str
    ours: float
    unit: str
    ratio: float | None = None
    theirs: float | None = None
    beside: str = ""
    goal: str = ""
    reached: bool | None = None
    cpu: float | None = None

    @property
    def line(self) -> str:
        """As a line of a Markdown table."""
        theirs = "" if self.theirs is None else f"{self.theirs:,.4g} {self.unit} ({self.beside})"
        ratio = "" if self.ratio is None else f"{self.ratio:.3g}"
        verdict = {None: "", True: "yes", False: "**no**"}[self.reached]
        ours = f"{self.ours:,.4g} {self.unit}"
        cpu = "" if self.cpu is None else f"{self.cpu:.3g}"
        return f"| {self.what} | {ours} | {theirs} | {ratio} | {cpu} | {self.goal} | {verdict} |"


HEAD = (
    "| what | ours | beside | ratio | of processor time | aim | reached |\n"
    "|:--|--:|--:|--:|--:|:--|:--|"
)


class Pairs(NamedTuple):
    """Two things measured in turn: median seconds of each, and medians of ours / theirs.

    ``ratio`` is of wall-clock time, ``cpu`` of the time of all processors.
    """

    ours: float
    theirs: float
    ratio: float
    cpu: float


def in_fresh_process(work: Callable[..., Found], *arguments: object) -> Found:
    """What a function gives that is called in a process of its own."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(work, *arguments).result()


def seconds(work: Callable[[], object]) -> float:
    """Wall-clock time of a call."""
    return _both(work)[0]


def _both(work: Callable[[], object]) -> tuple[float, float]:
    """Wall-clock and processor time of a call."""
    begun, used = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - begun, time.process_time() - used


def alternating(ours: Callable[[], object], theirs: Callable[[], object], pairs: int) -> Pairs:
    """Measure both ``pairs`` times, one right after the other; every pair is printed.

    Which of the two goes first changes from pair to pair.
    """
    times = []
    for number in range(pairs):
        order = (ours, theirs) if number % 2 == 0 else (theirs, ours)
        both = [_both(work) for work in order]
        (wall, cpu), (their_wall, their_cpu) = both if number % 2 == 0 else both[::-1]
        times.append((wall, their_wall, wall / their_wall, cpu / their_cpu))
        print(f"  {wall:.2f} s, {their_wall:.2f} s: {times[-1][2]:.3f}", flush=True)
    return Pairs(*map(statistics.median, zip(*times, strict=True)))
