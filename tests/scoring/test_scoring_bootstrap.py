"""The vectorised bootstrap against rows that are resampled one by one."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy.special import expit
from scoring_cases import predictions, take
from sklearn.metrics import average_precision_score, f1_score, roc_curve

from benchmark.scoring import bootstrap, score
from benchmark.scoring.part import Part

DRAWS = {"resamples": 10, "seed_text": "protocol"}
PATIENTS = 40


def case(seed=0, findings=2, unlabelled=0.2):
    """Validation and decided test images without a tie between scores."""
    made = predictions("multilabel", findings, PATIENTS, 2, unlabelled=unlabelled, seed=seed)
    noise = np.random.default_rng([seed, 1]).normal(size=made.logits.shape)
    logits = (made.logits + noise).astype(np.float32)
    made = dataclasses.replace(made, logits=logits, probabilities=expit(logits))
    validation, test = (Part.of(made.part(split)) for split in ("validation", "test"))
    return validation, test.decided([0.4] * findings)


def drawn_rows(part, finding, times):
    """Rows of one finding's labelled images, each as often as its patient was drawn."""
    rows = np.repeat(np.arange(len(part.patients)), times[part.patients].astype(int))
    return rows[~np.isnan(part.targets[rows, finding])]


def naive(validation, test, finding, of_validation, of_test, free):
    v, t = (
        drawn_rows(part, finding, times)
        for part, times in ((validation, of_validation), (test, of_test))
    )
    truth, probabilities = test.targets[t, finding] == 1, test.probabilities[t, finding]
    called = test.decisions[t, finding]
    if free:
        stated, known = validation.probabilities[v, finding], validation.targets[v, finding] == 1
        threshold = max(np.unique(stated), key=lambda p: (f1_score(known, stated >= p), p))
        called = probabilities >= threshold
    false, true, _ = roc_curve(truth, probabilities, drop_intermediate=False)
    return {
        "f1": f1_score(truth, called),
        "best_f1": max(f1_score(truth, probabilities >= p) for p in np.unique(probabilities)),
        "average_precision": average_precision_score(truth, probabilities),
        "sensitivity_at_specificity_0.95": true[false <= 0.05 + 1e-12].max(),
    }


@pytest.mark.parametrize(("findings", "fixed"), [(1, ()), (2, (1,)), (2, (0, 1))])
def test_replicates_equal_a_loop_over_resampled_rows(findings, fixed):
    validation, test = case(findings=findings)
    got = bootstrap.replicates(test, validation, range(findings), fixed, **DRAWS)
    weights = [
        next(bootstrap.multiplicities(PATIENTS, *DRAWS.values(), stream, DRAWS["resamples"]))
        for stream in ("validation", "test")
    ]
    for r in range(DRAWS["resamples"]):
        each = [
            naive(validation, test, f, *(w[:, r] for w in weights), f not in fixed)
            for f in range(findings)
        ]
        for name in bootstrap.RESAMPLED:
            expected = np.mean([one[name] for one in each])
            assert got[name][r] == pytest.approx(expected, abs=1e-12), (name, r)


def test_without_validation_decisions_stay_what_they_are():
    validation, test = case()
    frozen = bootstrap.replicates(test, None, [0, 1], **DRAWS)
    fixed = bootstrap.replicates(test, validation, [0, 1], (0, 1), **DRAWS)
    for name in bootstrap.RESAMPLED:
        np.testing.assert_array_equal(frozen[name], fixed[name])


def test_a_resample_without_a_positive_image_is_undefined():
    validation, test = case(findings=1, unlabelled=0.0)
    targets = np.where(test.patients[:, None] == 3, 1.0, 0.0)
    got = bootstrap.replicates(dataclasses.replace(test, targets=targets), validation, [0], **DRAWS)
    (weights,) = bootstrap.multiplicities(PATIENTS, *DRAWS.values(), "test", DRAWS["resamples"])
    for values in got.values():
        np.testing.assert_array_equal(np.isnan(values), weights[3] == 0)


def test_blocks_of_resamples_do_not_change_the_replicates(monkeypatch):
    validation, test = case()
    whole = bootstrap.replicates(test, validation, [0, 1], **DRAWS)
    monkeypatch.setattr(bootstrap, "BLOCK_ELEMENTS", 70)
    parts = bootstrap.replicates(test, validation, [0, 1], **DRAWS)
    for name in bootstrap.RESAMPLED:
        np.testing.assert_allclose(whole[name], parts[name], rtol=1e-15)


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
    # Philox (Salmon et al. 2011) of a SHA-256 key: what one release of NumPy drew, another draws.
    (weights,) = bootstrap.multiplicities(6, 2, "protocol", "test", 2)
    assert weights.T.astype(int).tolist() == [[1, 1, 1, 2, 0, 1], [0, 0, 3, 0, 3, 0]]


def test_the_order_of_a_file_changes_no_interval():
    source = predictions(patients=30, images=3)
    shuffled = take(source, np.random.default_rng(3).permutation(len(source.split)))
    a, b = (
        score(p, predictions_sha256="0" * 64, seed_text="t", resamples=50)
        for p in (source, shuffled)
    )
    for name, limits in a.intervals.items():
        assert limits == pytest.approx(b.intervals[name], rel=1e-7), name
