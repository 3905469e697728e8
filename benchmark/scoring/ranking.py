"""Which configurations really differ: paired comparisons and rank groups.

A configuration is scored by its mean over seeds. Its uncertainty has two sources that are kept
apart: which patients are in the test set (paired bootstrap over patients) and which seed was drawn
(spread between the seeds). A comparison adds both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import compress
from math import sqrt

import numpy as np

from benchmark.records.scores import Interval
from benchmark.scoring.intervals import normal, two_sided_p

ALPHA = 0.05


@dataclass(frozen=True)
class Seed:
    """One scored seed of a configuration.

    Attributes:
        value: its score; None where undefined.
        replicates: (R,) of the same resamples for every entry of a table, NaN or None where
            undefined; empty without any.
    """

    value: float | None
    replicates: Sequence[float | None] | np.ndarray = ()


@dataclass(frozen=True)
class Entry:
    """A configuration and its scored seeds.

    Attributes:
        config_id: what tells configurations apart.
        seeds: that were scored.
        deterministic: True for a model that no seed changes; its seed variance is zero.
        predictions: SHA-256 of the prediction file of each seed, by which comparisons are stored.
    """

    config_id: str
    seeds: Sequence[Seed]
    deterministic: bool = False
    predictions: Sequence[str] = ()

    @cached_property
    def value(self) -> float:
        """Mean over seeds."""
        return float(np.mean([seed.value for seed in self.seeds]))

    @cached_property
    def replicates(self) -> np.ndarray:
        """(R,) mean over seeds in every resample, NaN where undefined."""
        return np.mean([np.array(seed.replicates, float) for seed in self.seeds], axis=0)

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
            return "its score is undefined"
        if np.isfinite(self.replicates).sum() < 2:
            return "it has no bootstrap replicates"
        if self.seed_sd is None:
            return "one seed of a model that depends on it: its seed variance is unknown"
        return None


@dataclass(frozen=True)
class Comparison:
    """``first`` minus ``second``, with the standard error and the two-sided p of a z-test.

    ``se``, ``interval`` and ``p`` are None where they cannot be known; ``note`` says why.
    """

    first: str
    second: str
    difference: float | None
    se: float | None = None
    interval: Interval | None = None
    p: float | None = None
    note: str = ""


@dataclass(frozen=True)
class Group:
    """Configurations that cannot be told from their leader.

    Attributes:
        rank: 1 plus the number of configurations in better groups.
        leader: the one with the best mean.
        members: leader first, then by falling score.
        comparisons: leader against every configuration not in a better group.
        adjusted_p: Holm-adjusted p of those comparisons, by the other's id.
    """

    rank: int
    leader: str
    members: list[str]
    comparisons: list[Comparison]
    adjusted_p: dict[str, float]


@dataclass(frozen=True)
class Ranking:
    """Rank groups, best first, and the configurations left out with the reason."""

    groups: list[Group]
    unranked: dict[str, str]


def compare(first: Entry, second: Entry) -> Comparison:
    """Compare two configurations on the same test set.

    SE^2 = variance of the paired bootstrap difference of the seed means + sd^2 / k of each. One
    seed of a stochastic model says nothing about sd; then there is a difference, but no SE or p.

    Raises:
        ValueError: the replicates are not of the same number of resamples.
    """
    note = "; ".join(f"{e.config_id}: {e.obstacle}" for e in (first, second) if e.obstacle)
    names = (first.config_id, second.config_id)
    if any(not e.seeds or any(s.value is None for s in e.seeds) for e in (first, second)):
        return Comparison(*names, None, note=note)
    difference = first.value - second.value
    if note:
        return Comparison(*names, difference, note=note)
    if len(first.replicates) != len(second.replicates):
        raise ValueError(f"{names[0]} and {names[1]} have different numbers of resamples")
    paired = first.replicates - second.replicates
    sampling = float(np.var(paired[np.isfinite(paired)], ddof=1))
    variance = sampling + (first.seed_variance or 0.0) + (second.seed_variance or 0.0)
    se = sqrt(variance)
    return Comparison(
        *names, difference, se, normal(difference, variance), two_sided_p(difference, se)
    )


def rank_configurations(
    entries: Sequence[Entry],
    *,
    compared: Callable[[Entry, Entry], Comparison] = compare,
) -> Ranking:
    """Rank groups: the best ungrouped leads, those not significantly below join; repeat.

    Significance is Holm's at level `ALPHA` over the comparisons of one leader. A configuration
    that cannot be compared (see `Entry.obstacle`) is not ranked: to call it equal would be as
    unfounded as to call it better.

    Args:
        entries: the configurations of one table.
        compared: compares two of them, or reads how they compare.
    """
    unranked = {e.config_id: e.obstacle for e in entries if e.obstacle}
    waiting = sorted(
        (e for e in entries if e.config_id not in unranked),
        key=lambda e: (-e.value, e.config_id),
    )
    groups: list[Group] = []
    while waiting:
        leader, *others = waiting
        comparisons = [compared(leader, other) for other in others]
        adjusted = holm([c.p for c in comparisons if c.p is not None])  # all of them have one
        below = np.array(adjusted) < ALPHA
        groups.append(
            Group(
                rank=1 + sum(len(group.members) for group in groups),
                leader=leader.config_id,
                members=[leader.config_id, *(e.config_id for e in compress(others, ~below))],
                comparisons=comparisons,
                adjusted_p={c.second: p for c, p in zip(comparisons, adjusted, strict=True)},
            )
        )
        waiting = list(compress(others, below))
    return Ranking(groups, unranked)


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's (1979) step-down adjusted p-values, in the order given."""
    adjusted = [0.0] * len(p_values)
    running = 0.0
    for step, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        running = max(running, (len(p_values) - step) * p_values[index])
        adjusted[index] = min(running, 1.0)
    return adjusted
