"""Votes against plain probability arithmetic, image by image, and what every rule keeps to."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from benchmark.ensembles.rules import AXIS
from benchmark.ensembles.voters import Voter
from benchmark.ensembles.voting import UNANIMOUS, hard_vote, soft_vote
from benchmark.records.predictions import Predictions, link
from benchmark.spec import EnsembleRule

KINDS = st.sampled_from(["binary", "multilabel", "multiclass"])
S3 = [0.5, 0.5, 0.5, 0.51]


@st.composite
def members(draw, elements):
    kind = draw(KINDS)
    shape = (draw(st.integers(1, 5)), 1 if kind == "binary" else draw(st.integers(2, 4)))
    count = draw(st.integers(2, 4))
    values = [draw(arrays(np.float32, shape, elements=elements)) for _ in range(count)]
    weights = draw(st.lists(st.floats(0.05, 20), min_size=count, max_size=count))
    return kind, values, weights


@given(members(st.floats(-30, 30, width=32)))
@settings(max_examples=150, deadline=None)
def test_a_soft_vote_is_the_weighted_mean_of_the_probabilities(case):
    kind, logits, weights = case
    expected = sum(w * link(x, kind).astype(float) for w, x in zip(weights, logits, strict=True))
    found = link(soft_vote(logits, weights, kind).astype(np.float32), kind)
    np.testing.assert_allclose(found, expected / sum(weights), rtol=3e-6, atol=1e-7)


def test_a_soft_vote_keeps_the_order_of_images_that_float32_takes_for_certain():
    sure, surer = soft_vote([np.array([[40.0], [50.0]])] * 2, [1, 1], "binary")[:, 0]
    assert pytest.approx(sure) == 40
    assert pytest.approx(surer) == 50
    both = soft_vote([np.array([[900.0, 0.0]]), np.array([[0.0, 900.0]])], [1, 1], "multiclass")
    np.testing.assert_allclose(both[0], np.log(0.5))


@given(members(st.sampled_from([0.0, 1.0])))
@settings(max_examples=150, deadline=None)
def test_a_hard_vote_is_the_share_of_the_weights(case):
    kind, ballots, weights = case
    if kind == "multiclass":
        ballots = [np.eye(b.shape[1])[b.argmax(axis=1)] for b in ballots]
    votes = [ballot.astype(bool) for ballot in ballots]
    found = link(hard_vote(votes, weights, kind).astype(np.float32), kind)
    for image, finding in np.ndindex(found.shape):
        share = sum(w for w, v in zip(weights, votes, strict=True) if v[image, finding])
        assert found[image, finding] == pytest.approx(share / sum(weights), abs=3e-7)


def test_equal_sums_of_different_weights_tie():
    # 0.1 + 0.2 is not 0.3 in floating point.
    alone, together = np.array([[True], [False]]), np.array([[False], [True]])
    logits = hard_vote([together, together, alone], [0.1, 0.2, 0.3], "binary")
    assert logits[0] == logits[1] == 0.0


def test_s3s_weights_let_googlenet_break_a_tie():
    yes, no = np.array([[True]]), np.array([[False]])
    assert (
        hard_vote([yes, no, no, yes], S3, "binary")
        > 0
        > hard_vote([yes, yes, no, no], S3, "binary")
    )
    assert hard_vote([yes, yes, no, no], [0.5] * 4, "binary") == 0


def test_a_unanimous_vote_is_as_certain_as_a_finite_logit_can_say():
    yes = np.array([[True, False]])
    for kind in ("multilabel", "multiclass"):
        logits = hard_vote([yes, yes], [1, 2], kind)
        assert np.isfinite(logits).all()
        np.testing.assert_allclose(link(logits, kind), [[1, 0]], atol=1.01 * UNANIMOUS)


# The rules, found by name


def voters(kind: str, logits: np.ndarray) -> dict[str, Voter]:
    """Members named by letters, all of weight 1, with thresholds of 0.5."""
    n, names = logits.shape[1], [f"f{i}" for i in range(logits.shape[2])]
    text = np.full(n, "", object)
    split = np.array(["train", "validation", "test"], object)[np.arange(n) % 3]
    truth = np.eye(len(names))[np.arange(n) // 3 % len(names)] if kind == "multiclass" else (
        (np.arange(n) // 3 % 2)[:, None] * np.ones(len(names)))  # fmt: skip
    return {
        letter: Voter(
            Predictions(
                tuple(names), kind, split, text, text, np.zeros(n, int), text, text, truth, each,
                link(each, kind),
            ),
            1.0,
            lambda: dict.fromkeys(names, 0.5),
        )
        for letter, each in zip("abcd", logits, strict=False)
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["binary", "multilabel", "multiclass"])
@pytest.mark.parametrize("name", AXIS.names())
class TestEveryRule:
    def combined(self, name, members):
        declared = {"weights": dict.fromkeys(members, 1.0), "k": 2}
        options = {key: declared[key] for key in AXIS.find(name).card["options"]}
        return AXIS.find(name).load()(members, EnsembleRule(rule=name, **options))

    def logits(self, kind):
        shape = (3, 12, 1 if kind == "binary" else 3)
        return np.random.default_rng(0).normal(size=shape).astype(np.float32) * 3

    def test_says_something_of_every_image_and_who_had_a_part(self, name, kind):
        logits = self.logits(kind)
        found, used = self.combined(name, voters(kind, logits))
        assert found.shape == logits[0].shape
        assert np.isfinite(found).all()
        assert used
        assert set(used) <= {"a", "b", "c"}

    def test_members_that_agree_are_followed(self, name, kind):
        one = self.logits(kind)[0]
        found, _ = self.combined(name, voters(kind, np.stack([one, one])))
        if kind == "multiclass":
            np.testing.assert_array_equal(found.argmax(axis=1), one.argmax(axis=1))
        else:
            np.testing.assert_array_equal(found > 0, one > 0)

    def test_what_is_said_of_test_images_changes_nothing_elsewhere(self, name, kind):
        before = self.logits(kind)
        after = before.copy()
        after[:, 2::3] *= -1
        (first, used), (second, again) = (
            self.combined(name, voters(kind, each)) for each in (before, after)
        )
        elsewhere = np.arange(12) % 3 != 2
        assert used == again
        np.testing.assert_array_equal(first[elsewhere], second[elsewhere])


def test_naming_rules_imports_no_framework():
    code = (
        "import sys, benchmark.suites.ensembles;"
        "assert not {'tensorflow', 'keras', 'sklearn'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
