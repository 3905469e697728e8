"""What a run shows while it works: one line a spec, and on a terminal a line that moves."""

from __future__ import annotations

import sys
import time
from typing import Any, TextIO

from benchmark.planning.cost import nominal_seconds
from benchmark.planning.plan import Plan, PlannedSpec

TELLING_SECONDS = 10.0
"""Nominal seconds that must be done before the pace says anything."""


class Console:
    """Watches a run and prints its progress.

    Args:
        plan: the run's plan.
        most: specs that will be run at most.
        out: where to print; the moving line is left out where it is not a terminal.
    """

    def __init__(self, plan: Plan, most: int | None = None, out: TextIO = sys.stderr):
        specs = plan.to_run()[:most]
        self._prices = {p.spec.spec_id: _price(p) for p in specs}
        self._n, self._i, self._paid = len(specs), 0, 0.0
        self._begun = time.monotonic()
        self._out, self._moving = out, out.isatty()

    def __call__(self, planned: PlannedSpec, event: dict[str, Any]) -> None:
        """Take one event of one spec."""
        kind = event["event"]
        if kind == "start" and planned.spec.spec_id in self._prices:  # else in place of another
            self._i += 1
        if kind in ("start", "view", "features", "epoch") and self._moving:
            self._out.write(f"\r\033[K{self._head(planned)}  {_doing(event)}{self._eta()}")
        elif kind in ("done", "failed"):
            self._paid += self._prices.get(planned.spec.spec_id, 0.0)
            clear = "\r\033[K" if self._moving else ""
            self._out.write(f"{clear}{self._head(planned)}  {_ending(event)}{self._eta()}\n")
        self._out.flush()

    def _head(self, planned: PlannedSpec) -> str:
        return f"[{self._i}/{self._n}] {planned.spec.label}"

    def _eta(self) -> str:
        """Time left, from the prices of the specs to come and the pace so far."""
        left = sum(self._prices.values()) - self._paid
        if self._paid < TELLING_SECONDS or left <= 0:
            return ""
        return f"  (about {duration((time.monotonic() - self._begun) / self._paid * left)} left)"


def duration(seconds: float) -> str:
    """``"45 s"``, ``"12 min"`` or ``"3 h 05 min"``."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{round(seconds)} s"
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"


def _price(planned: PlannedSpec) -> float:
    return nominal_seconds(planned.spec, planned.model_file.card, planned.prepared.counts)


def _doing(event: dict[str, Any]) -> str:
    if event["event"] == "view":
        return f"decoding {event['split']} {event['done']}/{event['total']}"
    if event["event"] == "features":
        return f"features of {event['split']} {event['done']}/{event['total']}"
    if event["event"] == "epoch":
        return (
            f"epoch {event['epoch']}/{event['epochs']} loss {event['loss']:.3f} "
            f"validation {_validated(event)}"
        )
    return "starting"


def _ending(event: dict[str, Any]) -> str:
    if event["event"] == "done":
        name, value = event["headline"]
        return f"done in {duration(event['seconds'])}, test {name} {_number(value)}"
    return f"{event['status'].replace('_', ' ')}: {event['reason']}"


def _validated(event: dict[str, Any]) -> str:
    name = "Dice" if "val_dice" in event else "AUC"
    return f"{name} {_number(event[f'val_{name.lower()}'])}"


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.3f}"
