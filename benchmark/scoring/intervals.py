"""Intervals and tests, always two-sided; 95 % unless said otherwise."""

from __future__ import annotations

from math import erfc, sqrt
from statistics import NormalDist

import numpy as np

from benchmark.records.scores import Interval

LEVEL = 0.95
RESOLUTION = 1e-7  # replicates are stored as float32; smaller differences are none


def percentile(replicates: np.ndarray, level: float = LEVEL) -> Interval | None:
    """Percentile bootstrap interval of (R,) replicates; NaN are left out; None without any."""
    defined = np.asarray(replicates, float)
    defined = defined[~np.isnan(defined)]
    if not len(defined):
        return None
    tail = 50 * (1 - level)
    low, high = np.percentile(defined, [tail, 100 - tail]).tolist()
    return low, high


def normal(value: float, variance: float, level: float = LEVEL) -> Interval:
    """``value`` plus and minus its standard error times the normal quantile."""
    reach = normal_quantile(level) * sqrt(variance)
    return value - reach, value + reach


def logit(value: float, variance: float, level: float = LEVEL) -> Interval:
    """Normal interval on the logit scale, for a value in (0, 1); it stays inside (0, 1).

    At 0 and 1 the scale is unbounded and the interval is the point itself.
    """
    if not 0 < value < 1:
        return value, value
    reach = normal_quantile(level) * sqrt(variance) / (value * (1 - value))
    centre = np.log(value / (1 - value))
    low, high = (float(1 / (1 + np.exp(-(centre + side * reach)))) for side in (-1, 1))
    return low, high


def logit_of_replicates(value: float | None, replicates: np.ndarray) -> Interval | None:
    """Logit interval of a value with the variance of its (R,) bootstrap replicates.

    NaN are left out; None where fewer than two are left, or there is no value.
    """
    defined = replicates[~np.isnan(replicates)]
    if value is None or len(defined) < 2:
        return None
    return logit(value, float(np.var(defined, ddof=1)))


def normal_quantile(level: float = LEVEL) -> float:
    """The z that a standard normal variable stays within, either side, with this probability."""
    return NormalDist().inv_cdf((1 + level) / 2)


def two_sided_p(difference: float, se: float) -> float:
    """P-value of a z-test of no difference; without any spread, 1 for equal values and else 0."""
    if abs(difference) < RESOLUTION:
        return 1.0
    return erfc(abs(difference) / se / sqrt(2)) if se > 0 else 0.0
