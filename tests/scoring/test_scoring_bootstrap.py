"""The vectorised bootstrap against rows that are resampled one by one."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scoring_cases import predictions, take
from sklearn.metrics import f1_score, roc_auc_score

from benchmark.scoring import bootstrap, intervals, score
from benchmark.scoring.replicates import decode, encode

DRAWS = {"resamples": 40, "seed_text": "protocol", "stream": "test"}


def case(seed, patients, findings, unlabelled, prevalence=0.4):
    """Arrays of a test split whose patients have one to four images each."""
    rng = np.random.default_rng(seed)
    ids = np.repeat([f"p{i}" for i in range(patients)], rng.integers(1, 5, size=patients))
    shape = (len(ids), findings)
    targets = (rng.random(shape) < prevalence).astype(float)
    scores = (targets + rng.normal(size=shape)).round(1)
    targets[rng.random(shape) < unlabelled] = np.nan
    return targets, scores, scores > 0.5, ids


def naive(targets, scores, decisions, ids, *, resamples, seed_text, stream):
    names = np.unique(ids)
    (weights,) = bootstrap.multiplicities(len(names), resamples, seed_text, stream, resamples)
    aucs, f1s = [], []
    for column in weights.T:
        rows = [
            np.tile(np.flatnonzero(ids == n), int(w)) for n, w in zip(names, column, strict=True)
        ]
        rows = np.concatenate(rows)
        drawn = []
        for f in range(targets.shape[1]):
            known = rows[~np.isnan(targets[rows, f])]
            truth = targets[known, f] == 1
            if truth.all() or not truth.any():
                drawn.append((math.nan, math.nan))
            else:
                auc = roc_auc_score(truth, scores[known, f])
                drawn.append((auc, f1_score(truth, decisions[known, f])))
        auc, f1 = np.mean(drawn, axis=0)
        aucs.append(auc)
        f1s.append(f1)
    return np.array(aucs), np.array(f1s)


@pytest.mark.parametrize("unlabelled", [0.0, 0.3])
@pytest.mark.parametrize(("patients", "findings"), [(4, 1), (12, 3), (60, 2)])
def test_replicates_equal_a_loop_over_resampled_rows(patients, findings, unlabelled):
    arrays = case(patients, patients, findings, unlabelled)
    got = bootstrap.resample(*arrays, **DRAWS)
    auc, f1 = naive(*arrays, **DRAWS)
    np.testing.assert_allclose(got.auc, auc, rtol=0, atol=1e-12)
    np.testing.assert_allclose(got.f1, f1, rtol=0, atol=1e-12)


@given(seed=st.integers(0, 10**6), patients=st.integers(1, 8), prevalence=st.floats(0, 1))
@settings(max_examples=30, deadline=None)
def test_replicates_of_tiny_sets_equal_the_loop_or_are_undefined_with_it(
    seed, patients, prevalence
):
    arrays = case(seed, patients, 1, 0.2, prevalence)
    draws = DRAWS | {"resamples": 6}
    got = bootstrap.resample(*arrays, **draws)
    auc, f1 = naive(*arrays, **draws)
    np.testing.assert_allclose(got.auc, auc, rtol=0, atol=1e-12)
    np.testing.assert_allclose(got.f1, f1, rtol=0, atol=1e-12)


def test_blocks_of_resamples_do_not_change_the_replicates(monkeypatch):
    arrays = case(1, 20, 2, 0.1)
    whole = bootstrap.resample(*arrays, **DRAWS)
    monkeypatch.setattr(bootstrap, "BLOCK_ELEMENTS", 70)
    parts = bootstrap.resample(*arrays, **DRAWS)
    np.testing.assert_array_equal(whole.auc, parts.auc)
    np.testing.assert_array_equal(whole.f1, parts.f1)


def test_each_resample_draws_as_many_patients_as_there_are():
    (weights,) = bootstrap.multiplicities(50, 30, "a", "test", 30)
    assert weights.shape == (50, 30)
    np.testing.assert_array_equal(weights.sum(axis=0), 50)


def test_draws_are_fixed_by_the_text_and_differ_between_streams():
    def drawn(text, stream):
        return next(bootstrap.multiplicities(9, 3, text, stream, 3))

    np.testing.assert_array_equal(drawn("a", "test"), drawn("a", "test"))
    assert not np.array_equal(drawn("a", "test"), drawn("b", "test"))
    assert not np.array_equal(drawn("a", "test"), drawn("a", "train"))


def test_draws_are_the_same_on_every_machine():
    # Philox (Salmon et al. 2011) of a SHA-256 key: replicates stored by one release of NumPy stay
    # comparable with those of another.
    (weights,) = bootstrap.multiplicities(6, 2, "protocol", "test", 2)
    assert weights.T.astype(int).tolist() == [[1, 1, 1, 2, 0, 1], [0, 0, 3, 0, 3, 0]]


def test_rows_of_one_test_set_are_paired_whatever_their_order_in_the_file():
    source = predictions(patients=30, images=3)
    shuffled = take(source, np.random.default_rng(3).permutation(len(source.split)))
    a, b = (
        score(p, predictions_sha256="0" * 64, seed_text="t", resamples=50)
        for p in (source, shuffled)
    )
    assert a.replicates == b.replicates
    assert a.intervals == b.intervals


def test_paired_replicates_of_equal_models_do_not_differ_and_of_unequal_ones_vary_less():
    good = predictions(patients=60, findings=1, kind="binary", seed=1)
    rng = np.random.default_rng(2)
    noisy = (good.logits + 0.3 * rng.normal(size=good.logits.shape)).astype(np.float32)
    other = take(good, np.arange(len(good.split)), logits=noisy)
    a, b, unpaired = (
        decode(
            score(p, predictions_sha256="0" * 64, seed_text=text, resamples=300).replicates[
                "test_auc"
            ]
        )
        for p, text in ((good, "t"), (other, "t"), (other, "another text"))
    )
    assert np.std(a - b) < 0.5 * np.std(a - unpaired)


def test_stored_replicates_come_back_to_seven_digits():
    values = np.array([0.0, 0.5, 1.0, math.nan, 1 / 3, -0.1234567])
    np.testing.assert_allclose(decode(encode(values)), values, rtol=6e-8)
    assert encode(np.array([1.0, -2.0])) == "AACAPwAAAMA="  # little-endian on every machine
    assert len(decode(encode(np.empty(0)))) == 0


def test_percentile_interval_leaves_out_the_undefined():
    replicates = np.array([math.nan, *np.linspace(0, 1, 101)])
    assert intervals.percentile(replicates) == pytest.approx([0.025, 0.975])
    assert intervals.percentile(np.array([math.nan])) is None


def test_logit_interval_stays_inside_and_agrees_with_the_normal_one_when_narrow():
    low, high = intervals.logit(0.98, 0.02**2)
    assert 0 < low < 0.98 < high < 1
    assert intervals.logit(0.7, 1e-8) == pytest.approx(intervals.normal(0.7, 1e-8), abs=1e-7)
    assert intervals.logit(1.0, 0.0) == (1.0, 1.0)


def test_logit_interval_of_replicates_takes_their_variance():
    replicates = np.array([0.8, math.nan, 0.9, 0.85])
    expected = intervals.logit(0.84, float(np.var([0.8, 0.9, 0.85], ddof=1)))
    assert intervals.logit_of_replicates(0.84, replicates) == pytest.approx(expected)
    assert intervals.logit_of_replicates(0.84, replicates[:2]) is None
