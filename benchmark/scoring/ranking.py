"""Which configurations really differ: paired comparisons.

A configuration is scored by its mean over seeds. Its uncertainty has two sources that are kept
apart: which patients are in the test set, and which seed was drawn. A comparison adds both. The
patients are the same for both sides, so their part is that of the paired difference
(:mod:`benchmark.scoring.influence`); seeds are paired only where one side was made from the other,
seed by seed, as an ensemble is: of independent seeds the differences say less than each side alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import sqrt

import numpy as np

from benchmark.hashing import canonical_json
from benchmark.records.scores import Interval
from benchmark.scoring.influence import Influence, mean_of
from benchmark.scoring.intervals import LARGEST_DEGREES, normal, satterthwaite, two_sided_p

ALPHA = 0.05
POWER = 0.8


@dataclass(frozen=True)
class Seed:
    """One scored seed of a configuration.

    Attributes:
        value: its score; None where undefined.
        spec_id: of its row.
        made_from: spec ids of the rows that it was made from.
        predictions: SHA-256 of its prediction file, by which comparisons are stored.
    """

    value: float | None
    spec_id: str = ""
    made_from: frozenset[str] = frozenset()
    predictions: str = ""


@dataclass(frozen=True)
class Entry:
    """A configuration and its scored seeds.

    Attributes:
        config_id: what tells configurations apart.
        seeds: that were scored.
        load: the influences of the score of each seed, on the same patients for every entry of a
            table; asked for when they are needed.
        deterministic: True for a model that no seed changes; its seed variance is zero.
        called: what people are told of it as; its config_id where nothing is said.
        why_undefined: why its score is undefined, where that is known.
    """

    config_id: str
    seeds: Sequence[Seed]
    load: Callable[[], Sequence[Influence]]
    deterministic: bool = False
    called: str = ""
    why_undefined: str = ""

    @cached_property
    def value(self) -> float:
        """Mean over seeds."""
        return float(np.mean([seed.value for seed in self.seeds]))

    @cached_property
    def influences(self) -> list[Influence]:
        """Of each seed."""
        return list(self.load())

    @cached_property
    def influence(self) -> Influence:
        """Of the mean over seeds."""
        return mean_of(self.influences)

    @cached_property
    def seed_sd(self) -> float | None:
        """Standard deviation between seeds; None where a single seed cannot tell."""
        if self.deterministic:
            return 0.0
        values = [seed.value for seed in self.seeds if seed.value is not None]
        return float(np.std(values, ddof=1)) if len(values) > 1 else None

    @property
    def seed_variance(self) -> float | None:
        """Variance of the mean over seeds from chance in training; None where it is unknown."""
        return None if self.seed_sd is None else self.seed_sd**2 / len(self.seeds)

    @cached_property
    def obstacle(self) -> str | None:
        """Why this configuration cannot be compared, or None if it can."""
        if not self.seeds or any(seed.value is None for seed in self.seeds):
            return self.why_undefined or "its score is undefined"
        if self.seed_sd is None:
            return "one seed of a model that depends on it: its seed variance is unknown"
        return None

    @cached_property
    def identity(self) -> bytes:
        """What comparisons with it depend on, as canonical JSON: its predictions, and its kind."""
        return canonical_json([[seed.predictions for seed in self.seeds], self.deterministic])

    @cached_property
    def is_made(self) -> bool:
        """Whether any seed was made from other rows."""
        return any(seed.made_from for seed in self.seeds)

    def made_from(self, other: Entry) -> bool:
        """Whether each seed was made from the same seed of another configuration."""
        return (
            self.is_made
            and len(self.seeds) == len(other.seeds)
            and all(
                theirs.spec_id in ours.made_from
                for ours, theirs in zip(self.seeds, other.seeds, strict=True)
            )
        )


@dataclass(frozen=True, slots=True)
class Comparison:
    """``first`` minus ``second``: a two-sided t-test of no difference.

    ``se``, ``degrees`` of freedom, ``interval`` (95 %, of this one comparison; it ends where no
    difference of two scores from 0 to 1 can lie) and ``p`` are None where they cannot be known;
    ``note`` says why.
    """

    first: str
    second: str
    difference: float | None
    se: float | None = None
    degrees: float | None = None
    interval: Interval | None = None
    p: float | None = None
    note: str = ""


def compare(first: Entry, second: Entry) -> Comparison:
    """Compare two configurations on the same test set.

    SE^2 = variance of the paired difference over patients + sd^2 / k of each, with Satterthwaite's
    degrees of freedom. One seed of a stochastic model says nothing about sd; then there is a
    difference, but no SE or p.
    """
    return mean_difference([(first, second)])


def mean_difference(pairs: Sequence[tuple[Entry, Entry]]) -> Comparison:
    """The mean over pairs of what the first is better than the second, as `compare` for one.

    Patients are the same for all, so their part is that of the mean over pairs; the pairs
    themselves are those that there are, and no sample of others.
    """
    sides = [entry for pair in pairs for entry in pair]
    names = (" ".join(a.config_id for a, _ in pairs), " ".join(b.config_id for _, b in pairs))
    note = _obstacles(sides)
    if any(not e.seeds or any(s.value is None for s in e.seeds) for e in sides):
        return Comparison(*names, None, note=note)
    difference = float(np.mean([first.value - second.value for first, second in pairs]))
    if note:
        return Comparison(*names, difference, note=note)
    paired = mean_of([first.influence - second.influence for first, second in pairs])
    seeds = [
        (variance / len(pairs) ** 2, degrees)
        for pair in pairs
        for variance, degrees in _seeds(*pair)
    ]
    patients = (paired.variance, len(paired.of_patients) - 1)
    variance, degrees = satterthwaite([patients, *seeds])
    se, degrees = sqrt(variance), min(degrees, LARGEST_DEGREES)
    interval = _possible(normal(difference, variance, degrees), pairs)
    return Comparison(
        *names, difference, se, degrees, interval, two_sided_p(difference, se, degrees)
    )


def _possible(limits: Interval, pairs: Sequence[tuple[Entry, Entry]]) -> Interval:
    """The interval, cut off where no mean difference of scores from 0 to 1 can lie.

    That is nearer where a side does not vary at all, as an AUC of 0.5 of what knows nothing.
    """
    ranges = [(_range(first), _range(second)) for first, second in pairs]
    least = float(np.mean([first[0] - second[1] for first, second in ranges]))
    most = float(np.mean([first[1] - second[0] for first, second in ranges]))
    return max(limits[0], least), min(limits[1], most)


def _range(entry: Entry) -> tuple[float, float]:
    # At 0 and 1 nothing varies in the test set either, which does not say that nothing would.
    fixed = 0 < entry.value < 1 and not entry.seed_variance and not entry.influence.variance
    return (entry.value, entry.value) if fixed else (0.0, 1.0)


def _obstacles(sides: Sequence[Entry]) -> str:
    """Why they cannot be compared, each reason once with whose it is; empty where they can."""
    whose: dict[str, list[str]] = {}
    for each in sides:
        if each.obstacle:
            whose.setdefault(each.obstacle, []).append(each.called or each.config_id)
    return "; ".join(f"{' and '.join(names)}: {why}" for why, names in whose.items())


def _seeds(first: Entry, second: Entry) -> list[tuple[float, float]]:
    """What chance in training adds to the variance of a difference, with degrees of freedom."""
    if first.made_from(second) or second.made_from(first):
        pairs = zip(first.seeds, second.seeds, strict=True)
        differences = [
            a.value - b.value for a, b in pairs if a.value is not None and b.value is not None
        ]
        k = len(differences)
        return [(float(np.var(differences, ddof=1)) / k, k - 1)] if k > 1 else []
    return [(e.seed_variance or 0.0, len(e.seeds) - 1) for e in (first, second)]


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's (1979) step-down adjusted p-values, in the order given."""
    adjusted = [0.0] * len(p_values)
    running = 0.0
    for step, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        running = max(running, (len(p_values) - step) * p_values[index])
        adjusted[index] = min(running, 1.0)
    return adjusted
