"""Logistic regression on features, held against scikit-learn alone."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy.special import expit, softmax
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmark.task import Task
from benchmark.training.logistic import STRENGTHS, Labelled, fit_logistic

BINARY = Task(("sick",), "binary")
MANY = Task(("a", "b", "c"), "multilabel")
ONE_OF = Task(("a", "b", "c"), "multiclass")
WIDTH = 20


def draw(task, n=200, seed=0):
    """Features that say something about the targets, on scales of their own."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n, WIDTH))
    scores = features @ np.random.default_rng(9).normal(size=(WIDTH, task.n_outputs))
    scores += rng.normal(scale=3, size=scores.shape)
    targets = np.eye(task.n_outputs)[scores.argmax(axis=1)] if task.exclusive else scores > 0
    scale = np.logspace(-2, 2, WIDTH)
    return Labelled((features * scale + 5 * scale).astype(np.float32), targets.astype(np.float32))


def reference(train, classes, strength):
    model = make_pipeline(
        StandardScaler(), LogisticRegression(C=1 / (strength * len(classes)), max_iter=10_000)
    )
    return model.fit(np.float64(train.features), classes)


def logits(dense, features):
    return features @ dense.kernel + dense.bias


def test_a_binary_one_is_scikit_learns_on_standardised_features():
    train, validation = draw(BINARY), draw(BINARY, 80, seed=1)
    dense, facts = fit_logistic(train, validation, BINARY)
    models = [reference(train, train.targets[:, 0], s) for s in STRENGTHS]
    scores = [
        roc_auc_score(validation.targets[:, 0], m.decision_function(validation.features))
        for m in models
    ]
    np.testing.assert_allclose(facts.validation_auc[0], scores, atol=1e-3)
    best = int(np.argmax(facts.validation_auc[0]))
    assert facts.chosen == [STRENGTHS[best]]
    expected = models[best].decision_function(validation.features)
    np.testing.assert_allclose(logits(dense, validation.features)[:, 0], expected, atol=5e-3)
    assert facts.constant == []


def test_independent_findings_have_a_regression_each_on_what_is_labelled_for_them():
    train, validation = draw(MANY), draw(MANY, 80, seed=1)
    train.targets[::3, 1] = -1
    validation.targets[::2, 1] = -1
    dense, facts = fit_logistic(train, validation, MANY)
    for f in range(3):
        known, held_out = train.targets[:, f] >= 0, validation.targets[:, f] >= 0
        model = LogisticRegression(C=1 / (facts.chosen[f] * known.sum()), max_iter=10_000)
        scaler = StandardScaler().fit(np.float64(train.features))  # of all images
        model.fit(scaler.transform(train.features)[known], train.targets[known, f])
        expected = model.decision_function(scaler.transform(validation.features))
        np.testing.assert_allclose(logits(dense, validation.features)[:, f], expected, atol=1e-2)
        auc = roc_auc_score(validation.targets[held_out, f], expected[held_out])
        assert max(facts.validation_auc[f]) == pytest.approx(auc, abs=1e-3)


def test_what_is_not_labelled_changes_nothing():
    train, validation = draw(MANY), draw(MANY, 80, seed=1)
    train.targets[:50] = -1
    train.features[:50] = train.features[50:100]
    few = Labelled(train.features[50:], train.targets[50:])
    one, other = (fit_logistic(each, validation, MANY)[0] for each in (train, few))
    scaled = np.abs(one.kernel - other.kernel) * train.features.std(axis=0)[:, None]
    assert scaled.max() < 0.05  # but for the scale of the features, which is of all images


def test_exclusive_findings_have_one_multinomial_regression():
    train, validation = draw(ONE_OF), draw(ONE_OF, 80, seed=1)
    train.targets[::4, 2] = -1  # no class is known where one of the findings is unknown
    known = (train.targets >= 0).all(axis=1)
    dense, facts = fit_logistic(train, validation, ONE_OF)
    (chosen,) = facts.chosen
    scaler = StandardScaler().fit(np.float64(train.features))
    model = LogisticRegression(C=1 / (chosen * known.sum()), max_iter=10_000)
    model.fit(scaler.transform(train.features)[known], train.targets[known].argmax(axis=1))
    expected = model.predict_proba(scaler.transform(validation.features))
    found = softmax(logits(dense, validation.features), axis=1)
    np.testing.assert_allclose(found, expected, atol=5e-3)
    auc = roc_auc_score(validation.targets, expected, average="macro")
    assert max(facts.validation_auc[0]) == pytest.approx(auc, abs=1e-3)


def test_a_finding_with_one_class_in_training_gets_its_prevalence():
    train, validation = draw(MANY), draw(MANY, 80, seed=1)
    train.targets[:, 0] = 0
    train.targets[:, 2] = -1
    dense, facts = fit_logistic(train, validation, MANY)
    assert facts.constant == ["a", "c"]
    assert facts.chosen[0] is facts.chosen[2] is None
    assert facts.validation_auc[0] == facts.validation_auc[2] == []
    found = expit(logits(dense, validation.features))
    np.testing.assert_allclose(found[:, 0], 1 / (2 * 201), rtol=1e-6)
    np.testing.assert_allclose(found[:, 2], 0.5)


@pytest.mark.parametrize("absent", [[2], [1, 2]])
def test_a_class_that_training_never_saw_is_improbable(absent):
    train, validation = draw(ONE_OF), draw(ONE_OF, 80, seed=1)
    seen = train.targets[:, absent].sum(axis=1) == 0
    train = Labelled(train.features[seen], train.targets[seen])
    dense, facts = fit_logistic(train, validation, ONE_OF)
    found = softmax(logits(dense, validation.features), axis=1)
    assert facts.constant == ([ONE_OF.findings[2]] if absent == [2] else list(ONE_OF.findings))
    assert found[:, absent].max() < 1 / len(train.targets)
    if absent == [2]:  # the two that are left are told apart as if they were all there is
        model = reference(train, train.targets[:, 1], 2 * facts.chosen[0])
        expected = model.decision_function(validation.features)
        margin = np.diff(logits(dense, validation.features)[:, :2])[:, 0]
        assert np.corrcoef(margin, expected)[0, 1] > 0.99


def test_without_a_validation_auc_the_strongest_penalty_is_taken():
    train, validation = draw(BINARY), draw(BINARY, 80, seed=1)
    validation.targets[:] = 1
    _, facts = fit_logistic(train, validation, BINARY)
    assert facts.validation_auc == [[None] * len(STRENGTHS)]
    assert facts.chosen == [max(STRENGTHS)] == [STRENGTHS[0]]


def test_features_that_say_nothing_do_no_harm():
    train, validation = draw(BINARY), draw(BINARY, 80, seed=1)
    train.features[:, 3] = 7.0
    dense, _ = fit_logistic(train, validation, BINARY)
    assert np.isfinite(logits(dense, validation.features)).all()
    assert abs(dense.kernel[3, 0]) < 1e-6


def test_it_is_deterministic_and_says_when_it_works():
    train, validation = draw(MANY), draw(MANY, 80, seed=1)
    beats = []
    one, _ = fit_logistic(train, validation, MANY, lambda: beats.append(1))
    other, _ = fit_logistic(train, validation, MANY)
    np.testing.assert_array_equal(one.kernel, other.kernel)
    np.testing.assert_array_equal(one.bias, other.bias)
    assert len(beats) == 3 * len(STRENGTHS)


def test_classes_that_a_plane_separates_end_without_a_warning():
    features = np.repeat([[0.0], [1.0]], 20, axis=0)
    labelled = Labelled(features, np.float32(features))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        dense, _ = fit_logistic(labelled, labelled, BINARY)
    assert (np.sign(logits(dense, features)) == 2 * features - 1).all()
