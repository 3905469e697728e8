"""Votes against plain probability arithmetic, image by image."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from benchmark.ensembles.voting import UNANIMOUS, hard_vote, soft_vote
from benchmark.records.predictions import link

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
