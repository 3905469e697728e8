"""What each choice changes: one value of an axis against another, all else being equal."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Any

from benchmark.report.gathering.configuration import Configuration
from benchmark.scoring.comparisons import StoredComparisons
from benchmark.scoring.ranking import Comparison, Entry
from benchmark.suites.axes import DEFAULTS
from benchmark.suites.families import Fixed, fixed, is_baseline
from benchmark.training.weights import SCRATCH

AXES = {
    "resolutions": "size",
    "scheme": "scheme",
    "augmentation": "augmentation",
    "preprocessing": "preparation",
    "imbalance": "imbalance",
}
"""Axis of a suite file -> what it is called in the table."""


@dataclass(frozen=True)
class Effect:
    """The mean change in AUC from one value of an axis to another.

    Attributes:
        axis: what is changed.
        before, after: the values.
        weights: what is begun from before and after, where that changes with the value.
        comparison: ``after`` minus ``before``, the mean over pairs of configurations.
        helped: pairs in which it is better.
        pairs: all of them.
        models: of the pairs, with the schemes they were trained by, if not from scratch.
    """

    axis: str
    before: str
    after: str
    weights: tuple[str, str] | None
    comparison: Comparison
    helped: int
    pairs: int
    models: tuple[str, ...]

    @property
    def told(self) -> tuple[str, str]:
        """The values as readers see them."""
        if self.weights is None:
            return self.before, self.after
        return f"{self.before} ({self.weights[0]})", f"{self.after} ({self.weights[1]})"


def effects_of(
    configurations: Sequence[Configuration], entries: Mapping[str, Entry], stored: StoredComparisons
) -> list[Effect]:
    """Every effect of a table of which there is at least one pair; arguments as `families_of`."""
    shown = [c for c in configurations if not is_baseline(c.spec)]
    return [effect for axis in AXES for effect in _of_axis(axis, shown, entries, stored)]


def _of_axis(
    axis: str,
    configurations: Sequence[Configuration],
    entries: Mapping[str, Entry],
    stored: StoredComparisons,
) -> Iterator[Effect]:
    rests: dict[tuple[str, Fixed], dict[str, Configuration]] = defaultdict(dict)
    for c in configurations:
        rests[c.runs[0].row.suite, fixed(c.spec, axis)][_value(c, axis)] = c
    values = sorted({value for of_rest in rests.values() for value in of_rest}, key=_order(axis))
    for before, after in (
        pairwise(values) if axis == "resolutions" else product(values[:1], values[1:])
    ):
        pairs = [(of[after], of[before]) for of in rests.values() if {before, after} <= of.keys()]
        if not pairs:
            continue
        compared = [(entries[a.key], entries[b.key]) for a, b in pairs]
        yield Effect(
            AXES[axis],
            before,
            after,
            _weights(pairs),
            stored.mean_difference(compared),
            sum(a.value > b.value for a, b in compared),
            len(pairs),
            tuple(_models([a for a, _ in pairs], axis)),
        )


def _weights(pairs: Sequence[tuple[Configuration, Configuration]]) -> tuple[str, str] | None:
    changes = {(before.spec.weights, after.spec.weights) for after, before in pairs}
    first, second = next(iter(changes))
    return (first, second) if len(changes) == 1 and first != second else None


def _models(every: Sequence[Configuration], axis: str) -> Iterator[str]:
    schemes: dict[str, dict[str, None]] = defaultdict(dict)
    for c in every:
        schemes[c.spec.model][c.spec.scheme] = None
    for model, of_model in schemes.items():
        by = ", ".join(sorted(of_model))
        plain = axis == "scheme" or by in ("", SCRATCH)
        yield model if plain else f"{model} ({by})"


def _value(c: Configuration, axis: str) -> str:
    return str(getattr(c.spec, "resolution" if axis == "resolutions" else axis))


def _order(axis: str) -> Callable[[str], Any]:
    """Sizes by size; of others the usual value comes first."""
    if axis == "resolutions":
        return int
    usual = DEFAULTS[axis][0]
    return lambda value: (value != usual, value)
