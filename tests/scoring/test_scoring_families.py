"""Families: letters, what could have been told, and who comes first."""

from __future__ import annotations

from functools import partial
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm
from test_scoring_ranking import entry

from benchmark.scoring.families import analysed, come_first, detectable
from benchmark.scoring.letters import letters
from benchmark.scoring.ranking import ALPHA, Comparison, compare, holm

first = partial(come_first, seed_text="x", resamples=200)


def test_letters_worked_by_hand():
    def shown(order, *pairs):
        return list(letters(order, {frozenset(pair) for pair in pairs}).values())

    assert shown("abc") == ["a", "a", "a"]
    assert shown("abc", "ac") == ["a", "ab", "b"]
    assert shown("abc", "ab", "ac", "bc") == ["a", "b", "c"]
    assert shown("abc", "ab", "bc") == ["a", "b", "a"]  # not told apart although one lies between
    assert shown("a") == ["a"]


NAMES = "abcdefg"
PAIRS = [frozenset(pair) for pair in combinations(NAMES, 2)]


@given(st.sets(st.sampled_from(PAIRS)))
def test_two_share_a_letter_if_and_only_if_they_were_not_told_apart(apart):
    shown = letters(NAMES, apart)
    assert "a" in shown[NAMES[0]]
    for pair in PAIRS:
        one, other = pair
        assert bool(set(shown[one]) & set(shown[other])) == (pair not in apart)
    holders = [{n for n in NAMES if sign in shown[n]} for sign in set("".join(shown.values()))]
    assert not any(a < b for a in holders for b in holders)  # no letter says what another says


def test_a_family_is_holms_over_all_its_pairs():
    entries = [entry("c", 0.80), entry("a", 0.81), entry("b", 0.8005), entry("d", 0.90)]
    family = analysed(entries, first=first)
    assert family.members == ("d", "a", "b", "c")
    assert len(family.comparisons) == 6
    assert family.adjusted_p == pytest.approx(holm([c.p for c in family.comparisons]))
    assert family.comparisons[0] == compare(entries[3], entries[1])
    assert family.letters == {"d": "a", "a": "b", "b": "c", "c": "c"}
    assert family.provisional == frozenset()


def test_fewer_than_five_seeds_are_provisional_and_fixed_models_are_not():
    fixed = entry("f", 0.7, seeds=1, deterministic=True)
    family = analysed([entry("a", 0.8), entry("b", 0.8, seeds=4), fixed], first=first)
    assert family.provisional == {"b"}


def test_detectable_differences_are_those_found_in_80_percent():
    pairs = [Comparison("a", "b", 0.1, se=s, degrees=1e9) for s in (0.01, 0.02, 0.04)]
    found = detectable(pairs)
    assert (found.least, found.median, found.largest) == pytest.approx(
        [s * (norm.ppf(1 - ALPHA / 6) + norm.ppf(0.8)) for s in (0.01, 0.02, 0.04)]
    )
    power = norm.sf(norm.ppf(1 - ALPHA / 6) - found.median / 0.02)
    assert power == pytest.approx(0.8, abs=1e-3)
    assert detectable([Comparison("a", "b", 0.0, se=0.0, degrees=1e9)]) is None


def test_who_comes_first_is_counted_over_patients_and_seeds():
    clear = first([entry("a", 0.9), entry("b", 0.8)])
    assert clear == {"a": 1.0, "b": 0.0}
    even = come_first([entry(n, 0.8, own=0.01, spread=0) for n in ("a", "b", "k")], "x", 2000)
    assert sum(even.values()) == pytest.approx(1)
    assert all(0.2 < share < 0.5 for share in even.values())
    tied = first([entry(n, 0.5, own=0, seeds=1, deterministic=True) for n in "ab"])
    assert tied == {"a": 0.5, "b": 0.5}


def test_who_comes_first_agrees_with_a_normal_difference():
    a, b = entry("a", 0.801, own=0.002), entry("b", 0.800, own=0.002)
    result = compare(a, b)
    variance = result.se**2 - sum(e.seed_variance / 5 for e in (a, b))  # five seeds drawn of five
    expected = norm.cdf(result.difference / variance**0.5)
    assert come_first([a, b], "x", 20000)["a"] == pytest.approx(expected, abs=0.02)
    assert np.isclose(sum(come_first([a, b], "x", 500).values()), 1)
