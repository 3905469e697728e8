"""Intervals and tests against formulas and scipy.stats."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from benchmark.scoring import intervals


def test_percentile_interval_leaves_out_the_undefined():
    replicates = np.array([math.nan, *np.linspace(0, 1, 101)])
    assert intervals.percentile(replicates) == pytest.approx([0.025, 0.975])
    assert intervals.percentile(np.array([math.nan])) is None


def test_normal_interval_takes_the_quantile_of_t():
    reach = 0.2 * stats.t.ppf(0.975, 7.5)
    assert intervals.normal(0.5, 0.04, 7.5) == pytest.approx([0.5 - reach, 0.5 + reach])
    assert intervals.quantile(math.inf, 0.9) == pytest.approx(stats.norm.ppf(0.95))


def test_logit_interval_stays_inside_and_agrees_with_the_normal_one_when_narrow():
    low, high = intervals.logit(0.98, 0.02**2)
    assert 0 < low < 0.98 < high < 1
    assert intervals.logit(0.7, 1e-8) == pytest.approx(intervals.normal(0.7, 1e-8), abs=1e-7)
    assert intervals.logit(1.0, 0.0) == (1.0, 1.0)
    assert intervals.logit(0.999, 1.0, 1.0) == pytest.approx([0.0, 1.0])


@pytest.mark.parametrize("n", [10, 59, 1000])
def test_a_perfect_share_has_the_interval_of_the_rule_of_three(n):
    exact = stats.binomtest(n, n, alternative="greater").proportion_ci(0.95)
    assert intervals.one_sided(1.0, n) == pytest.approx([exact.low, exact.high])
    assert intervals.one_sided(0.0, n) == pytest.approx([0, 1 - exact.low])


def test_mover_of_normal_intervals_adds_their_variances():
    first, second = (intervals.normal(v, s**2) for v, s in ((0.8, 0.03), (0.7, 0.04)))
    expected = intervals.normal(0.1, 0.05**2)
    assert intervals.mover(0.8, first, 0.7, second) == pytest.approx(expected)


def test_mover_of_a_perfect_number_reaches_less_far_upwards():
    low, high = intervals.mover(1.0, (0.95, 1.0), 0.9, (0.85, 0.94))
    assert (low, high) == pytest.approx([0.1 - math.hypot(0.05, 0.04), 0.1 + 0.05])


def test_satterthwaite_of_two_samples_is_that_of_welch():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=5), 3 * rng.normal(size=9)
    terms = [(x.var(ddof=1) / len(x), len(x) - 1) for x in (a, b)]
    variance, degrees = intervals.satterthwaite(terms)
    welch = stats.ttest_ind(a, b, equal_var=False)
    assert degrees == pytest.approx(welch.df)
    assert intervals.two_sided_p(a.mean() - b.mean(), variance**0.5, degrees) == pytest.approx(
        welch.pvalue
    )
    assert intervals.satterthwaite([(0.0, 3)]) == (0, math.inf)


def test_p_without_any_spread_is_one_for_equal_values_and_else_zero():
    assert intervals.two_sided_p(0.0, 0.0) == 1.0
    assert intervals.two_sided_p(0.1, 0.0) == 0.0
    assert intervals.two_sided_p(1.0, 0.5) == pytest.approx(2 * stats.norm.sf(2))
