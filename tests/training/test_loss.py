from __future__ import annotations

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, log_softmax

from benchmark.training.loss import MaskedCrossEntropy


def brute_force(targets, logits):
    terms = []
    for target, logit in zip(targets.ravel(), logits.ravel(), strict=True):
        if target >= 0:
            p = expit(np.float64(logit))
            terms.append(-np.log(p) if target == 1 else -np.log1p(-p))
    return np.mean(terms) if terms else 0.0


def loss(exclusive, targets, logits):
    return float(keras.ops.convert_to_numpy(MaskedCrossEntropy(exclusive)(targets, logits)))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(1, 4))
def test_independent_findings_agree_with_brute_force(seed, n, f):
    rng = np.random.default_rng(seed)
    targets = rng.integers(-1, 2, (n, f)).astype(np.float32)
    logits = rng.normal(0, 4, (n, f)).astype(np.float32)
    assert loss(False, targets, logits) == pytest.approx(brute_force(targets, logits), rel=1e-4)


def test_exclusive_findings_are_a_softmax():
    logits = np.array([[2.0, -1.0, 0.5], [0.0, 3.0, -2.0]], np.float32)
    targets = np.eye(3, dtype=np.float32)[[0, 2]]
    expected = -(log_softmax(logits, axis=1) * targets).sum(axis=1).mean()
    assert loss(True, targets, logits) == pytest.approx(expected, rel=1e-5)


def test_what_is_not_labelled_does_not_matter():
    targets = np.array([[1, -1], [0, -1]], np.float32)
    logits = np.array([[0.3, 9.0], [-0.2, -50.0]], np.float32)
    changed = logits.copy()
    changed[:, 1] = 0
    assert loss(False, targets, logits) == loss(False, targets, changed)


def test_nothing_labelled_is_zero_not_nan():
    assert loss(False, np.full((3, 2), -1, np.float32), np.ones((3, 2), np.float32)) == 0.0


def test_huge_logits_stay_finite():
    assert loss(False, np.array([[1.0, 0.0]]), np.array([[-1e4, 1e4]])) == pytest.approx(1e4)


def test_the_loss_can_be_saved_and_read_back():
    config = keras.saving.serialize_keras_object(MaskedCrossEntropy(True))
    assert keras.saving.deserialize_keras_object(config).exclusive is True
