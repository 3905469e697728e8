"""What a run shows while it works: a line an ending, and on a terminal one that moves a slot."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from typing import Any, TextIO

from benchmark.planning.cost import nominal_price, nominal_seconds
from benchmark.planning.plan import Plan, PlannedSpec
from benchmark.report.blocks.lines import USUAL, window, wrapped

TELLING_SECONDS = 10.0
"""Nominal seconds that must be done before the pace says anything."""
MOVING = ("start", "view", "features", "epoch")


class Console:
    """Watches a run and prints its progress.

    Args:
        plan: the run's plan.
        most: specs that will be run at most.
        slots: specs that run side by side.
        out: where to print; the moving lines are left out where it is not a terminal.

    Attributes:
        running: what runs now, in words.
        done: how many specs are.
    """

    def __init__(
        self, plan: Plan, most: int | None = None, slots: int = 1, out: TextIO = sys.stderr
    ):
        specs = plan.to_run()[:most]
        self._specs = specs
        self._left = {p.spec.spec_id: nominal_price(p) for p in specs}
        self._n, self._slots, self._paid = len(specs), slots, 0.0
        self._begun = time.monotonic()
        self._numbers: dict[str, int] = {}
        self._doing: dict[int, tuple[PlannedSpec, dict[str, Any]]] = {}
        self.running: set[str] = set()
        self.done = 0
        self._share: dict[str, float] = {}
        self._drawn = 0
        self._out, self._moving = out, out.isatty()

    def __call__(self, planned: PlannedSpec, event: dict[str, Any]) -> None:
        """Take one event of one spec."""
        kind, slot, spec_id = event["event"], event.get("slot", 0), planned.spec.spec_id
        if kind == "size":
            self._learn_size(planned, event["gmacs_224"])
        elif kind in MOVING:
            self.running.add(planned.spec.label)
            self._number(spec_id)
            self._share[spec_id] = event["epoch"] / event["epochs"] if kind == "epoch" else 0.0
            self._doing[slot] = planned, event
            self._draw()
        elif kind == "warning":
            self._draw(f"{self._head(planned)}  {event['text']}")
        elif kind in ("done", "failed", "lost"):
            self._doing.pop(slot, None)
            self.running.discard(planned.spec.label)
            self.done += kind == "done"
            self._share.pop(spec_id, None)
            if kind != "lost":
                self._paid += self._left.pop(spec_id, 0.0)
            self._draw(f"{self._head(planned)}  {_ending(event)}{self._time_left()}")

    @property
    def priced(self) -> float:
        """Nominal seconds of the specs that have not ended."""
        return sum(self._left.values())

    def _learn_size(self, built: PlannedSpec, gmacs_224: float) -> None:
        """Price what is left of a model whose card does not say how large it is."""
        card = built.model_file.card | {"gmacs_224": gmacs_224}
        for p in self._specs:
            if p.spec.spec_id in self._left and p.model_file.path == built.model_file.path:
                seconds = nominal_seconds(p.spec, card, p.prepared.counts)
                self._left[p.spec.spec_id] = seconds

    def _number(self, spec_id: str) -> int:
        """Which of the specs it is, in the order in which they began."""
        if spec_id not in self._left:  # in place of another: it counts as that one
            return len(self._numbers)
        return self._numbers.setdefault(spec_id, len(self._numbers) + 1)

    def _head(self, planned: PlannedSpec, *, brief: bool = False) -> str:
        """Its number and name; ``brief``: without the data set."""
        number = self._numbers.get(planned.spec.spec_id, len(self._numbers))
        label = planned.spec.label
        return f"[{number}/{self._n}] {label.partition(' ')[2] if brief else label}"

    def _draw(self, ending: str = "") -> None:
        """Print an ending for good, and what runs below it, a line each that fits the window."""
        width = window(self._out)
        if self._moving:
            self._out.write("\r" + "\033[A" * max(0, self._drawn - 1) + "\033[J")
        if ending:
            self._out.write(wrapped(ending, width) + "\n")
        if self._moving:
            lines = list(self._lines(width or USUAL))
            self._out.write("\n".join(lines))
            self._drawn = len(lines)
        self._out.flush()

    def _lines(self, width: int) -> Iterator[str]:
        """What each slot does; the last line has the time left."""
        for slot in sorted(self._doing):
            planned, event = self._doing[slot]
            left = self._time_left() if slot == max(self._doing) else ""
            line = f"{self._head(planned)}  {_doing(event)}{left}"
            if len(line) > width:
                head, tail = self._head(planned, brief=True), f"  {_doing(event, brief=True)}{left}"
                line = (head[: max(0, width - len(tail))] + tail)[:width]
            yield line

    def _time_left(self) -> str:
        """Time left, from the prices of the specs to come and the pace so far.

        With several slots, no less than the dearest spec takes one of them.
        """
        parts = {spec_id: self._share.get(spec_id, 0.0) for spec_id in self._left}
        paid = self._paid + sum(self._left[spec_id] * share for spec_id, share in parts.items())
        left = {spec_id: self._left[spec_id] * (1 - share) for spec_id, share in parts.items()}
        if paid < TELLING_SECONDS or not any(left.values()):
            return ""
        seconds_each = (time.monotonic() - self._begun) * self._slots / paid
        longest = max(sum(left.values()) / self._slots, *left.values())
        return f"  (about {duration(seconds_each * longest)} left)"


def duration(seconds: float) -> str:
    """``"45 s"``, ``"12 min"`` or ``"3 h 05 min"``."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{round(seconds)} s"
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"


def _doing(event: dict[str, Any], *, brief: bool = False) -> str:
    if event["event"] == "view":
        return f"decoding {event['split']} {event['done']}/{event['total']}"
    if event["event"] == "features":
        return f"features of {event['split']} {event['done']}/{event['total']}"
    if event["event"] == "epoch":
        loss = "" if brief else f" loss {event['loss']:.3f} validation"
        return f"epoch {event['epoch']}/{event['epochs']}{loss} {_validated(event)}"
    return "starting"


def _ending(event: dict[str, Any]) -> str:
    if event["event"] == "done":
        name, value = event["headline"]
        return f"done in {duration(event['seconds'])}, {name} {_shown(value)}"
    if event["event"] == "lost":
        return f"to be run again: {event['reason']}"
    return f"{event['status'].replace('_', ' ')}: {event['reason']}"


def _validated(event: dict[str, Any]) -> str:
    name = "Dice" if "val_dice" in event else "AUC"
    return f"{name} {_shown(event[f'val_{name.lower()}'])}"


def _shown(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.3f}"
