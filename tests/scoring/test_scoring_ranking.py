"""Comparisons of configurations, Holm's correction and rank groups."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from benchmark.scoring.ranking import Entry, Seed, compare, holm, rank_configurations

RNG = np.random.default_rng(11)
SHARED = RNG.normal(size=2000)  # what all models of one test set have in common


def entry(name, value, own=0.002, seeds=3, spread=0.001, shared=0.01, seed=0, **kwargs):
    """Seeds around ``value``; replicates move together by ``shared`` and apart by ``own``."""
    rng = np.random.default_rng([seed, *name.encode()])
    offsets = spread * np.linspace(-1, 1, seeds) if seeds > 1 else [0.0]
    own_noise = own * rng.normal(size=SHARED.size)
    return Entry(
        name,
        [Seed(value + o, list(value + o + shared * SHARED + own_noise)) for o in offsets],
        **kwargs,
    )


def test_holm_worked_by_hand():
    # Sorted: .005 x 4 = .02, .01 x 3 = .03, .03 x 2 = .06, .04 x 1 = .04 lifted to .06.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.6]) == [1.0, 1.0]
    assert holm([]) == []


def test_standard_error_adds_paired_sampling_and_seed_variance():
    a, b = entry("a", 0.80), entry("b", 0.79)
    result = compare(a, b)
    paired = np.mean([s.replicates for s in a.seeds], 0) - np.mean(
        [s.replicates for s in b.seeds], 0
    )
    seeds = [np.var([s.value for s in e.seeds], ddof=1) / 3 for e in (a, b)]
    expected = np.sqrt(np.var(paired, ddof=1) + sum(seeds))
    assert result.difference == pytest.approx(0.01)
    assert result.se == pytest.approx(expected, rel=1e-12)
    assert result.p == pytest.approx(2 * norm.sf(0.01 / expected), rel=1e-9)
    assert result.interval == pytest.approx(
        [0.01 - 1.959964 * expected, 0.01 + 1.959964 * expected]
    )


def test_what_the_models_share_does_not_blur_their_difference():
    paired = compare(entry("a", 0.80, shared=0.05), entry("b", 0.79, shared=0.05))
    assert paired.se < 0.005


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
    ranking = rank_configurations([lucky, entry("a", 0.80)])
    assert [g.members for g in ranking.groups] == [["a"]]
    assert "seed variance" in ranking.unranked["lucky"]


def test_undefined_scores_are_not_ranked():
    undefined = Entry("u", [Seed(None)] * 3)
    missing = Entry("m", [])
    ranking = rank_configurations([undefined, missing, entry("a", 0.80)])
    assert set(ranking.unranked) == {"u", "m"}
    assert compare(undefined, entry("a", 0.80)).difference is None


def test_resamples_undefined_for_all_are_left_out():
    a, b = entry("a", 0.80), entry("b", 0.79)

    def holed(e):
        return Entry(e.config_id, [Seed(s.value, [None, *s.replicates]) for s in e.seeds])

    assert compare(holed(a), holed(b)).se == pytest.approx(compare(a, b).se)


def test_different_numbers_of_resamples_are_refused():
    short = Entry("s", [Seed(s.value, s.replicates[:9]) for s in entry("b", 0.7).seeds])
    with pytest.raises(ValueError, match="different numbers of resamples"):
        compare(entry("a", 0.80), short)


def test_groups_form_around_the_best_ungrouped_configuration():
    entries = [entry("d", 0.70), entry("b", 0.8995), entry("a", 0.90), entry("c", 0.80)]
    ranking = rank_configurations(entries)
    assert [(g.rank, g.members) for g in ranking.groups] == [
        (1, ["a", "b"]),
        (3, ["c"]),
        (4, ["d"]),
    ]
    first = ranking.groups[0]
    assert first.leader == "a"
    assert first.adjusted_p["b"] >= 0.05 > first.adjusted_p["c"]
    assert [c.second for c in first.comparisons] == ["b", "c", "d"]


def test_a_tie_is_with_the_leader_not_along_a_chain():
    # b is near a and c is near b, but c is far from a: c leads the next group.
    step = 0.0035
    entries = [entry(n, 0.9 - i * step, own=0.001) for i, n in enumerate("abc")]
    wide = entry("b", 0.9 - step, own=0.004)
    ranking = rank_configurations([entries[0], wide, entries[2]])
    assert [g.members for g in ranking.groups] == [["a", "b"], ["c"]]


def test_holm_spares_a_difference_that_one_test_alone_would_call_significant():
    close = [entry(f"m{i}", 0.895, own=0.0016) for i in range(12)]
    leader = entry("a", 0.90, own=0.0016)
    alone = rank_configurations([leader, close[0]])
    together = rank_configurations([leader, *close])
    assert 0.05 / 12 < compare(leader, close[0]).p < 0.05
    assert alone.groups[0].members == ["a"]
    assert "m0" in together.groups[0].members


def test_ranking_does_not_depend_on_the_order_of_the_entries():
    entries = [entry(n, v) for n, v in zip("abcde", (0.8, 0.8, 0.79, 0.7, 0.7), strict=True)]
    assert rank_configurations(entries) == rank_configurations(entries[::-1])


def test_two_perfect_models_tie_and_a_constant_one_is_below():
    def flat(name, value):
        return Entry(name, [Seed(value, [value] * 50)], deterministic=True)

    ranking = rank_configurations([flat("x", 0.5), flat("b", 1.0), flat("a", 1.0)])
    assert [g.members for g in ranking.groups] == [["a", "b"], ["x"]]


def test_value_and_spread_of_a_configuration_are_over_its_seeds():
    e = entry("a", 0.8)
    assert e.value == pytest.approx(0.8)
    assert e.seed_sd == pytest.approx(0.001)
