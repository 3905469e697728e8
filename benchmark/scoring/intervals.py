"""Intervals and tests, always two-sided; 95 % unless said otherwise."""

from __future__ import annotations

from collections.abc import Iterable
from math import inf, sqrt
from statistics import NormalDist

import numpy as np

from benchmark.records.scores import Interval

LEVEL = 0.95
RESOLUTION = 1e-7  # probabilities are float32; smaller differences are none
LARGEST_DEGREES = 1e9  # of freedom: beyond them a t distribution is the normal one


def percentile(replicates: np.ndarray, level: float = LEVEL) -> Interval | None:
    """Percentile bootstrap interval of (R,) replicates; NaN are left out; None without any."""
    defined = np.asarray(replicates, float)
    defined = defined[~np.isnan(defined)]
    if not len(defined):
        return None
    tail = 50 * (1 - level)
    low, high = np.percentile(defined, [tail, 100 - tail]).tolist()
    return low, high


def normal(value: float, variance: float, degrees: float = inf, level: float = LEVEL) -> Interval:
    """``value`` plus and minus its standard error times the quantile of t, or of the normal."""
    reach = quantile(degrees, level) * sqrt(variance)
    return value - reach, value + reach


def logit(value: float, variance: float, degrees: float = inf) -> Interval:
    """The same on the logit scale, for a value in (0, 1); it stays inside (0, 1).

    At 0 and 1 the scale is unbounded and the interval is the point itself; see `one_sided`.
    """
    if not 0 < value < 1:
        return value, value
    reach = quantile(degrees) * sqrt(variance) / (value * (1 - value))
    centre = np.log(value / (1 - value))
    with np.errstate(over="ignore"):  # a limit at 0 to the last bit
        low, high = (float(1 / (1 + np.exp(-(centre + side * reach)))) for side in (-1, 1))
    return low, high


def one_sided(value: float, patients: int) -> Interval:
    """Interval of a share that was found to be 0 or 1, from that end: the rule of three, exactly.

    Of an AUC, ``patients`` is the smaller number of patients with, and without, the finding: so
    many pairs have no patient in common, and all of them were ranked rightly.
    """
    reach = 1 - (1 - LEVEL) ** (1 / patients)
    return (1 - reach, 1.0) if value > 0.5 else (0.0, reach)


def mover(first: float, of_first: Interval, second: float, of_second: Interval) -> Interval:
    """Interval of ``first - second``, which are independent, from the interval of each.

    Method of variance estimates recovery (Zou and Donner 2008): each limit of the difference lies
    as far from it as those two limits that it comes from, squared and added.
    """
    low, high = of_first
    below, above = of_second
    difference = first - second
    return (
        difference - sqrt((first - low) ** 2 + (above - second) ** 2),
        difference + sqrt((high - first) ** 2 + (second - below) ** 2),
    )


def satterthwaite(terms: Iterable[tuple[float, float]]) -> tuple[float, float]:
    """Sum of independent variances and its degrees of freedom, from those of each.

    Args:
        terms: variance and degrees of freedom (Satterthwaite 1946).
    """
    terms = [(variance, degrees) for variance, degrees in terms if variance > 0]
    total = sum(variance for variance, _ in terms)
    parts = sum(variance**2 / degrees for variance, degrees in terms)
    return total, total**2 / parts if parts > 0 else inf


def normal_quantile(level: float = LEVEL) -> float:
    """The z that a standard normal variable stays within, either side, with this probability."""
    return NormalDist().inv_cdf((1 + level) / 2)


def quantile(degrees: float, level: float = LEVEL) -> float:
    """The same of Student's t; of the normal distribution where there are no end of degrees."""
    return float(quantiles(np.array(degrees), level))


def quantiles(degrees: np.ndarray, level: float = LEVEL) -> np.ndarray:
    """:func:`quantile` of degrees of any shape, of the same shape."""
    from scipy.special import stdtrit

    students = stdtrit(np.minimum(degrees, LARGEST_DEGREES), (1 + level) / 2)
    return np.where(degrees >= LARGEST_DEGREES, normal_quantile(level), students)


def two_sided_p(difference: float, se: float, degrees: float = inf) -> float:
    """P-value of a t-test of no difference; without any spread, 1 for equal values and else 0."""
    from scipy.special import stdtr

    if abs(difference) < RESOLUTION:
        return 1.0
    t = -abs(difference) / se if se > 0 else -inf
    return float(2 * stdtr(min(degrees, LARGEST_DEGREES), t))
