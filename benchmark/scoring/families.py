"""A family: configurations that are compared with each other, every pair of them.

What was told apart is Holm's at level `ALPHA` over the pairs of the family, so that the chance of
calling any equal pair different is at most that; letters show it. Beside it stands what the family
could have told, and how often each configuration would have come first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from benchmark.scoring.bootstrap import generator, multiplicities
from benchmark.scoring.intervals import quantiles
from benchmark.scoring.letters import letters
from benchmark.scoring.ranking import ALPHA, POWER, Comparison, Entry, compare, holm

SEEDS_FOR_LETTERS = 5
"""Letters of a configuration with fewer seeds are provisional."""
RESAMPLES = 10_000


@dataclass(frozen=True)
class Detectable:
    """The differences that the pairs of a family would have told apart in 80 % of all tries.

    At the first step of Holm's procedure, the strictest one.
    """

    median: float
    least: float
    largest: float


@dataclass(frozen=True)
class Family:
    """Compared configurations.

    Attributes:
        members: ids by falling mean.
        comparisons: every pair, the better mean first.
        adjusted_p: Holm's, of each of ``comparisons``.
        letters: id -> its letters; those who share one were not told apart.
        provisional: ids with fewer than :data:`SEEDS_FOR_LETTERS` seeds.
        detectable: what could have been told; None where nothing varies.
        first: id -> in which share of resamples of patients and seeds it has the best mean.
    """

    members: tuple[str, ...]
    comparisons: tuple[Comparison, ...]
    adjusted_p: tuple[float, ...]
    letters: dict[str, str]
    provisional: frozenset[str]
    detectable: Detectable | None
    first: dict[str, float]


def analysed(
    entries: Sequence[Entry],
    *,
    compared: Callable[[Entry, Entry], Comparison] = compare,
    first: Callable[[Sequence[Entry]], dict[str, float]],
) -> Family:
    """The family of at least two configurations, none of which has an obstacle.

    Args:
        entries: its members.
        compared: compares two of them, or reads how they compare.
        first: how often each comes first, as :func:`come_first` has it.
    """
    ordered = sorted(entries, key=lambda e: (-e.value, e.config_id))
    comparisons = tuple(compared(*pair) for pair in combinations(ordered, 2))
    adjusted = holm([1.0 if c.p is None else c.p for c in comparisons])
    members = tuple(e.config_id for e in ordered)
    apart = {
        frozenset((c.first, c.second))
        for c, p in zip(comparisons, adjusted, strict=True)
        if p < ALPHA
    }
    return Family(
        members,
        comparisons,
        tuple(adjusted),
        letters(members, apart),
        frozenset(e.config_id for e in ordered if is_provisional(e)),
        detectable(comparisons),
        first(ordered),
    )


def is_provisional(entry: Entry) -> bool:
    """Whether there are fewer seeds of it than letters need."""
    return not entry.deterministic and len(entry.seeds) < SEEDS_FOR_LETTERS


def detectable(comparisons: Sequence[Comparison]) -> Detectable | None:
    """The differences that could have been told; see `Detectable`."""
    level = 1 - ALPHA / max(len(comparisons), 1)
    known = [(c.se, c.degrees) for c in comparisons if c.se and c.degrees is not None]
    if not known:
        return None
    errors, degrees = np.array(known).T
    found = errors * (quantiles(degrees, level) + quantiles(degrees, 2 * POWER - 1))
    return Detectable(float(np.median(found)), float(found.min()), float(found.max()))


def come_first(
    entries: Sequence[Entry], seed_text: str, resamples: int = RESAMPLES
) -> dict[str, float]:
    """Id -> share of resamples in which its mean is the best; several best ones share it.

    A resample draws patients, the same for all, and of each configuration as many seeds as it has.
    How its score moves with the patients is taken from the influences, that is, to first order.
    """
    values = [np.array([each.value for each in e.influences]) for e in entries]
    terms = [np.stack([each.of_patients for each in e.influences]) for e in entries]
    n_patients = terms[0].shape[1]
    random = generator(seed_text, "seeds")
    won = np.zeros(len(entries))
    for weights in multiplicities(n_patients, resamples, seed_text, "test", 1000):
        means = []
        for value, term in zip(values, terms, strict=True):
            drawn = value[:, None] + term @ (weights - 1)
            chosen = random.integers(len(value), size=drawn.shape)
            means.append(np.take_along_axis(drawn, chosen, axis=0).mean(axis=0))
        best = np.array(means) >= np.max(means, axis=0)
        won += (best / best.sum(axis=0)).sum(axis=1)
    return {e.config_id: float(w) for e, w in zip(entries, won / resamples, strict=True)}
