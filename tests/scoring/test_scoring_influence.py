"""Influence values against closed forms and against leaving patients out."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit
from scoring_cases import predictions
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, f1_score, recall_score, roc_auc_score

from benchmark.scoring import calibration, influence
from benchmark.scoring.part import Part

RNG = np.random.default_rng(4)


def images(patients=50, each=3):
    """Targets of patients who have both kinds, scores, and patients."""
    codes = np.repeat(np.arange(patients), each)
    targets = (RNG.random(len(codes)) < 0.4).astype(float)
    scores = targets + RNG.normal(size=patients)[codes] + RNG.normal(size=len(codes))
    return targets, scores, codes


def delong(targets, *models):
    """Covariance matrix of AUCs over all pairs of images, by definition."""
    ill = targets == 1
    wins = [(s[ill][:, None] > s[~ill]) + (s[ill][:, None] == s[~ill]) / 2 for s in models]
    of_ill, of_well = (np.cov([each.mean(axis=axis) for each in wins]) for axis in (1, 0))
    return np.atleast_2d(of_ill / ill.sum() + of_well / (~ill).sum())


def jackknife(of, codes):
    """Variance by leaving out one patient after the other."""
    left = np.array([of(codes != patient) for patient in np.unique(codes)])
    n = len(left)
    return (n - 1) / n * ((left - left.mean()) ** 2).sum()


def test_auc_has_the_variance_of_delong():
    targets, scores, _ = images()
    found = influence.auc(targets, scores, np.arange(len(targets)))
    covariance = delong(targets, scores)
    assert found.value == pytest.approx(roc_auc_score(targets, scores), abs=1e-12)
    assert found.variance == pytest.approx(covariance[0, 0], rel=1e-12)
    assert found.of_patients.sum() == pytest.approx(0, abs=1e-12)


def test_clustered_auc_is_near_that_of_the_jackknife():
    targets, scores, codes = images()
    found = influence.auc(targets, scores, codes)
    left_out = jackknife(lambda kept: roc_auc_score(targets[kept], scores[kept]), codes)
    assert found.variance == pytest.approx(left_out, rel=0.05)


def test_a_paired_difference_has_the_variance_of_delongs_contrast():
    targets, scores, codes = images()
    other = scores + RNG.normal(size=len(scores))
    first, second = (influence.auc(targets, s, np.arange(len(codes))) for s in (scores, other))
    covariance = delong(targets, scores, other)
    difference = first - second
    contrast = np.array([1, -1])
    assert difference.variance == pytest.approx(contrast @ covariance @ contrast, rel=1e-12)
    assert difference.value == pytest.approx(first.value - second.value)


@pytest.mark.parametrize("kind", ["multilabel", "multiclass"])
def test_macro_numbers_are_those_of_sklearn_with_the_variance_of_the_jackknife(kind):
    content = predictions(kind, 2, patients=60, images=2, splits=("test",), seed=3)
    part = Part.of(content).decided([0.5, 0.4])
    truth = part.targets == 1

    def mean(of):
        return lambda kept: np.mean([of(truth[kept, i], i, kept) for i in range(2)])

    def decided(of, **options):
        return mean(lambda t, i, kept: of(t, part.decisions[kept, i], **options))

    def brier(kept):
        each = [brier_score_loss(truth[kept, i], part.probabilities[kept, i]) for i in range(2)]
        return np.sum(each) if kind == "multiclass" else np.mean(each)

    expected = {
        influence.macro_auc: mean(lambda t, i, k: roc_auc_score(t, part.log_odds[k, i])),
        influence.macro_f1: decided(f1_score),
        influence.macro_sensitivity: decided(recall_score),
        influence.macro_specificity: decided(recall_score, pos_label=0),
        influence.macro_brier: brier,
    }
    everyone = np.ones(len(truth), bool)
    for of, reference in expected.items():
        found = of(part, [0, 1])
        assert found.value == pytest.approx(reference(everyone), abs=1e-12), of
        assert found.variance == pytest.approx(jackknife(reference, part.patients), rel=0.06), of


def test_calibration_is_logistic_regression_with_a_clustered_sandwich():
    targets, scores, codes = images(patients=80)
    odds = 2 * scores - 1

    def slope(kept):
        model = LogisticRegression(C=np.inf, tol=1e-10)
        return model.fit(odds[kept, None], targets[kept]).coef_[0, 0]

    found = influence.coefficient(calibration.slope_design, targets, odds, codes)
    assert found.value == pytest.approx(slope(np.ones(len(codes), bool)), rel=1e-5)
    assert found.variance == pytest.approx(jackknife(slope, codes), rel=0.1)
    large = influence.coefficient(calibration.intercept_design, targets, odds, codes)
    assert expit(odds + large.value).mean() == pytest.approx(targets.mean())


def test_what_cannot_be_fitted_has_no_calibration():
    separated = np.array([-2.0, -1.0, 1.0, 2.0])
    assert calibration.slope(separated > 0, separated) is None
    assert calibration.slope(np.array([True, False]), np.zeros(2)) is None
    assert calibration.intercept(np.ones(3, bool), np.zeros(3)) is None


def test_degrees_of_freedom_are_the_number_of_equal_patients_and_few_where_few_count():
    assert influence.degrees_of_freedom(RNG.normal(size=4000)) == pytest.approx(4000, rel=0.15)
    assert influence.degrees_of_freedom(np.r_[np.zeros(99), 1.0]) == pytest.approx(2, abs=0.1)
    assert influence.degrees_of_freedom(np.zeros(5)) == np.inf


def test_without_both_classes_there_is_no_influence():
    one = np.ones(3)
    assert influence.auc(one, one, np.arange(3)) is None
    assert influence.share(np.zeros(3), np.zeros(3), np.arange(3)) is None
    assert influence.mean_of_defined([]) is None
