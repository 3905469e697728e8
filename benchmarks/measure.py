"""What a measurement says: ours beside something else, in one run, and what was aimed at."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


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
    """

    what: str
    ours: float
    unit: str
    ratio: float | None = None
    theirs: float | None = None
    beside: str = ""
    goal: str = ""
    reached: bool | None = None

    @property
    def line(self) -> str:
        """As a line of a Markdown table."""
        theirs = "" if self.theirs is None else f"{self.theirs:,.4g} {self.unit} ({self.beside})"
        ratio = "" if self.ratio is None else f"{self.ratio:.3g}"
        verdict = {None: "", True: "yes", False: "**no**"}[self.reached]
        ours = f"{self.ours:,.4g} {self.unit}"
        return f"| {self.what} | {ours} | {theirs} | {ratio} | {self.goal} | {verdict} |"


HEAD = "| what | ours | beside | ratio | aim | reached |\n|:--|--:|--:|--:|:--|:--|"


def seconds(work: Callable[[], object]) -> float:
    """Wall-clock time of a call."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def alternating(
    ours: Callable[[], object], theirs: Callable[[], object], pairs: int
) -> tuple[float, float, float]:
    """Median seconds of both and the median of ours / theirs, each pair right after another.

    Which of the two goes first changes from pair to pair.
    """
    times = []
    for number in range(pairs):
        order = (ours, theirs) if number % 2 == 0 else (theirs, ours)
        both = [seconds(work) for work in order]
        times.append(both if number % 2 == 0 else both[::-1])
    ratios = [one / other for one, other in times]
    return (
        statistics.median(one for one, _ in times),
        statistics.median(other for _, other in times),
        statistics.median(ratios),
    )
