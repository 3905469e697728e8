"""Comparisons of configurations, and Holm's correction."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t as student

from benchmark.scoring.influence import Influence
from benchmark.scoring.ranking import Entry, Seed, compare, holm, mean_difference

PATIENTS = 300
SHARED = np.random.default_rng(11).normal(size=PATIENTS)  # what all models of a test set share


def entry(name, value, own=0.001, seeds=5, spread=0.001, shared=0.01, members=(), **kwargs):
    """Seeds around ``value``; patients move all entries together and each for itself."""
    rng = np.random.default_rng([*name.encode()])
    offsets = spread * np.linspace(-1, 1, seeds) if seeds > 1 else [0.0]
    terms = (shared * SHARED + own * rng.normal(size=PATIENTS)) / PATIENTS**0.5
    return Entry(
        name,
        [
            Seed(value + o, f"{name}{i}", frozenset(f"{m}{i}" for m in members), f"{name}{i}")
            for i, o in enumerate(offsets)
        ],
        lambda: [Influence(value + o, terms) for o in offsets],
        **kwargs,
    )


def test_holm_worked_by_hand():
    # Sorted: .005 x 4 = .02, .01 x 3 = .03, .03 x 2 = .06, .04 x 1 = .04 lifted to .06.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.6]) == [1.0, 1.0]
    assert holm([]) == []


def test_standard_error_adds_paired_patients_and_the_seeds_of_each():
    a, b = entry("a", 0.80), entry("b", 0.79, seeds=3, spread=0.002)
    result = compare(a, b)
    paired = a.influences[0].of_patients - b.influences[0].of_patients
    patients = (paired**2).sum()
    seeds = [np.var([s.value for s in e.seeds], ddof=1) / len(e.seeds) for e in (a, b)]
    variance = patients + sum(seeds)
    degrees = variance**2 / (patients**2 / (PATIENTS - 1) + seeds[0] ** 2 / 4 + seeds[1] ** 2 / 2)
    assert result.difference == pytest.approx(0.01)
    assert result.se == pytest.approx(variance**0.5, rel=1e-12)
    assert result.degrees == pytest.approx(degrees, rel=1e-9)
    assert result.p == pytest.approx(2 * student.sf(0.01 / variance**0.5, degrees), rel=1e-9)
    reach = student.ppf(0.975, degrees) * variance**0.5
    assert result.interval == pytest.approx([0.01 - reach, 0.01 + reach])


def test_an_interval_ends_where_no_difference_of_two_scores_can_lie():
    """Seeds that are far apart have a wide one; what knows nothing has exactly 0.5."""

    def still(*values, deterministic=False):
        found = [Influence(value, np.zeros(60)) for value in values]
        return Entry("any", [Seed(v) for v in values], lambda: found, deterministic)

    wide, nothing = still(0.3, 0.9, 0.6), still(0.5, deterministic=True)
    assert compare(wide, nothing).interval == (-0.5, 0.5)
    assert compare(nothing, wide).interval == (-0.5, 0.5)
    perfect = still(1.0, deterministic=True)  # on this test set
    assert compare(perfect, still(0.99, 0.97, 0.98)).interval[0] < 0
    assert compare(perfect, wide).interval == pytest.approx((-0.345, 1.0), abs=0.001)
    assert compare(still(0.1, 0.9), still(0.1, 0.9)).interval == (-1, 1)
    both = mean_difference([(wide, nothing), (perfect, nothing)])
    assert both.interval == pytest.approx((0.3 - 4.303 * 0.3 / 12**0.5, 0.5), abs=0.001)


def test_what_the_models_share_does_not_blur_their_difference():
    paired = compare(entry("a", 0.80, shared=0.05), entry("b", 0.79, shared=0.05))
    assert paired.se < 0.005


def test_seeds_are_paired_where_one_was_made_from_the_other_and_nowhere_else():
    member = entry("member", 0.80, spread=0.05)
    ensemble = entry("ensemble", 0.82, spread=0.05, members=("member",))
    independent = entry("ensemble", 0.82, spread=0.05)
    assert compare(ensemble, member).se < 0.002 < compare(independent, member).se
    assert compare(member, ensemble).se == compare(ensemble, member).se
    other_seeds = entry("ensemble", 0.82, seeds=4, spread=0.05, members=("member",))
    assert compare(other_seeds, member).se > 0.01


def test_comparison_is_antisymmetric():
    a, b = entry("a", 0.80), entry("b", 0.79)
    forth, back = compare(a, b), compare(b, a)
    assert forth.difference == pytest.approx(-back.difference)
    assert (forth.se, forth.p) == pytest.approx((back.se, back.p))


def test_a_deterministic_model_has_no_seed_variance():
    once = entry("linear", 0.75, seeds=1, deterministic=True)
    assert once.seed_sd == 0.0
    assert compare(entry("a", 0.80), once).p < 1e-6


def test_one_seed_of_a_stochastic_model_is_not_called_better_or_equal():
    lucky = entry("lucky", 0.99, seeds=1)
    result = compare(lucky, entry("a", 0.80))
    assert result.difference == pytest.approx(0.19)
    assert (result.se, result.p) == (None, None)
    assert "seed variance is unknown" in result.note


def test_undefined_scores_have_no_difference():
    undefined, missing = (Entry("u", seeds, list) for seeds in ([Seed(None)] * 3, []))
    for other in (undefined, missing):
        assert compare(other, entry("a", 0.80)).difference is None
        assert "undefined" in other.obstacle


def test_equal_models_are_not_told_apart_even_without_any_spread():
    a, b = (entry(name, 0.5, own=0, seeds=1, deterministic=True) for name in "ab")
    assert compare(a, b).p == 1.0
    better = entry("c", 0.6, own=0, seeds=1, deterministic=True)
    assert compare(better, a).p == 0.0


def test_the_mean_over_pairs_has_the_patients_of_the_mean_and_the_seeds_of_all():
    pairs = [(entry("a", 0.80), entry("b", 0.79)), (entry("c", 0.7), entry("d", 0.72))]
    result = mean_difference(pairs)
    terms = np.mean([x.influence.of_patients - y.influence.of_patients for x, y in pairs], axis=0)
    seeds = sum(e.seed_variance for pair in pairs for e in pair) / 4
    assert result.difference == pytest.approx(-0.005)
    assert result.se == pytest.approx(((terms**2).sum() + seeds) ** 0.5, rel=1e-12)
    assert mean_difference(pairs[:1]) == compare(*pairs[0])
