"""Adds up where the time of a run went."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from benchmark.kinds.profile import COLUMNS

if TYPE_CHECKING:
    from benchmark.planning.plan import PlannedSpec


class Profiler:
    """Watches a run and adds up where its time goes, model by model."""

    def __init__(self) -> None:
        self._models: dict[str, list[Mapping[str, float]]] = {}
        self._starts: list[float] = []

    def __call__(self, planned: PlannedSpec, event: Mapping[str, Any]) -> None:
        """Take one event of one spec."""
        if event["event"] == "ready":
            self._starts.append(event["seconds"])
        elif event["event"] == "done":
            self._models.setdefault(planned.spec.model, []).append(event["profile"])

    def outside_training(self) -> tuple[float, float]:
        """Seconds that were no training step nor input for one, starts included, and of it all."""
        every = [spec for specs in self._models.values() for spec in specs]
        sums, started = dict(zip(COLUMNS, _sums(every), strict=True)), sum(self._starts)
        whole = sum(sums.values()) + started
        return whole - sums["steps"] - sums["input"], whole

    def lines(self) -> list[str]:
        """A table of seconds: a line a model, then the whole and its shares."""
        every = [spec for specs in self._models.values() for spec in specs]
        if not every:
            return []
        width = max(len("share"), *map(len, self._models))
        head = f"{'seconds':{width}}  specs" + "".join(f"{name:>12}" for name in COLUMNS)
        body = [_line(name, specs, width) for name, specs in self._models.items()]
        sums = _sums(every)
        shares = (f"{100 * seconds / sum(sums):11.0f}%" for seconds in sums)
        started = f"Workers started: {len(self._starts)}, in {sum(self._starts):.1f} s."
        return [
            head,
            *body,
            _line("all", every, width),
            f"{'share':{width}}       {''.join(shares)}",
            started,
        ]


def _sums(specs: list[Mapping[str, float]]) -> list[float]:
    return [sum(spec[name] for spec in specs) for name in COLUMNS]


def _line(name: str, specs: list[Mapping[str, float]], width: int) -> str:
    return f"{name:{width}}  {len(specs):5}" + "".join(f"{s:12.1f}" for s in _sums(specs))
