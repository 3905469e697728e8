"""Every point metric against a plain loop and against scikit-learn."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq, minimize
from scipy.special import expit, softmax
from scoring_cases import samples
from sklearn import metrics as sk

from benchmark.scoring import multiclass
from benchmark.scoring.metrics import CALIBRATION_BINS, METRICS, Curve, Sample
from benchmark.scoring.thresholds import argmax_decisions, best_f1_threshold

NAN = float("nan")


def share(chosen, among):
    among = list(among)
    return sum(map(bool, chosen)) / len(among) if among else NAN


def loop_auc(s):
    pairs = list(product(s.log_odds[s.targets], s.log_odds[~s.targets]))
    return sum((p > n) + (p == n) / 2 for p, n in pairs) / len(pairs) if pairs else NAN


def loop_average_precision(s):
    total, recall = 0.0, 0.0
    for threshold in sorted(set(s.log_odds), reverse=True):
        called = s.targets[s.log_odds >= threshold]
        gained = called.sum() / s.targets.sum() - recall if s.targets.any() else NAN
        total, recall = total + called.mean() * gained, recall + gained
    return total


def loop_f1(s):
    tp = sum(s.targets & s.decisions)
    errors = sum(s.targets != s.decisions)
    return 2 * tp / (2 * tp + errors) if tp or errors else NAN


def loop_mcc(s):
    if len(set(s.targets)) < 2:
        return NAN
    if len(set(s.decisions)) < 2:
        return 0.0
    return np.corrcoef(s.targets.astype(float), s.decisions.astype(float))[0, 1]


def loop_ece(s):
    gap = 0.0
    for k in range(CALIBRATION_BINS):
        low, high = k / CALIBRATION_BINS, (k + 1) / CALIBRATION_BINS
        last = k == CALIBRATION_BINS - 1
        inside = [low <= p and (p < high or last) for p in s.probabilities]
        if any(inside):
            confidence, frequency = s.probabilities[inside].mean(), s.targets[inside].mean()
            gap += abs(confidence - frequency) * sum(inside) / len(inside)
    return gap


def loop_sensitivity_at(wanted):
    def value(s):
        if len(set(s.targets)) < 2:
            return NAN
        best = 0.0
        for threshold in set(s.log_odds):
            called = s.log_odds >= threshold
            specificity = (~called[~s.targets]).sum() / (~s.targets).sum()
            if specificity >= wanted:
                best = max(best, called[s.targets].mean())
        return best

    return value


def loop_log_loss(s):
    return -np.mean(
        [math.log(p) for p in np.where(s.targets, s.probabilities, 1 - s.probabilities)]
    )


def loop_sensitivity(s):
    return share(s.decisions[s.targets], s.decisions[s.targets])


def loop_specificity(s):
    return share(~s.decisions[~s.targets], s.decisions[~s.targets])


def loop_best_f1(s):
    called = [s.log_odds >= threshold for threshold in set(s.log_odds)]
    return max(loop_f1(replace(s, decisions=each)) for each in called) if s.targets.any() else NAN


def loop_slope(s):
    """Logistic regression by SciPy; perfect ranks and equal scores have none."""
    if not s.targets.any() or s.targets.all() or len(set(s.log_odds)) < 2:
        return NAN
    up, down = s.log_odds[s.targets], s.log_odds[~s.targets]
    if up.min() >= down.max() or up.max() <= down.min():
        return NAN
    signs = np.where(s.targets, 1, -1)
    return minimize(
        lambda b: np.logaddexp(0, -signs * (b[0] * s.log_odds + b[1])).sum(),
        np.zeros(2),
        tol=1e-14,
    ).x[0]


def loop_intercept(s):
    if not s.targets.any() or s.targets.all():
        return NAN
    return brentq(lambda a: (expit(s.log_odds + a) - s.targets).sum(), -50, 50, xtol=1e-14)


LOOPS = {
    "auc": loop_auc,
    "average_precision": loop_average_precision,
    "f1": loop_f1,
    "accuracy": lambda s: share(s.targets == s.decisions, s.targets),
    "sensitivity": loop_sensitivity,
    "specificity": loop_specificity,
    "ppv": lambda s: share(s.targets[s.decisions], s.targets[s.decisions]),
    "npv": lambda s: share(~s.targets[~s.decisions], s.targets[~s.decisions]),
    "balanced_accuracy": lambda s: (loop_sensitivity(s) + loop_specificity(s)) / 2,
    "mcc": loop_mcc,
    "brier": lambda s: np.mean([d**2 for d in s.probabilities - s.targets]),
    "ece": loop_ece,
    "log_loss": loop_log_loss,
    "best_f1": loop_best_f1,
    "calibration_slope": loop_slope,
    "calibration_intercept": loop_intercept,
    "sensitivity_at_specificity_0.90": loop_sensitivity_at(0.90),
    "sensitivity_at_specificity_0.95": loop_sensitivity_at(0.95),
}
SCIKIT = {
    "auc": lambda s: sk.roc_auc_score(s.targets, s.log_odds),
    "average_precision": lambda s: sk.average_precision_score(s.targets, s.log_odds),
    "f1": lambda s: sk.f1_score(s.targets, s.decisions),
    "accuracy": lambda s: sk.accuracy_score(s.targets, s.decisions),
    "sensitivity": lambda s: sk.recall_score(s.targets, s.decisions),
    "specificity": lambda s: sk.recall_score(s.targets, s.decisions, pos_label=False),
    "ppv": lambda s: sk.precision_score(s.targets, s.decisions),
    "npv": lambda s: sk.precision_score(s.targets, s.decisions, pos_label=False),
    "balanced_accuracy": lambda s: sk.balanced_accuracy_score(s.targets, s.decisions),
    "mcc": lambda s: sk.matthews_corrcoef(s.targets, s.decisions),
    "brier": lambda s: sk.brier_score_loss(s.targets, s.probabilities),
    "log_loss": lambda s: sk.log_loss(s.targets, s.probabilities, labels=[False, True]),
}


def test_every_metric_has_a_loop_to_be_checked_against():
    assert set(LOOPS) == set(METRICS)


@pytest.mark.parametrize("name", METRICS)
@given(sample=samples())
@settings(max_examples=60, deadline=None)
def test_metric_equals_a_plain_loop(name, sample):
    got, expected = METRICS[name].function(sample), LOOPS[name](sample)
    near = {"rel": 1e-4, "abs": 1e-4} if name.startswith("calibration") else {"abs": 1e-12}
    assert got == pytest.approx(expected, nan_ok=True, **near)


@pytest.mark.parametrize("name", SCIKIT)
@given(sample=samples(min_size=2))
@settings(max_examples=40, deadline=None)
def test_metric_equals_scikit_learn_where_defined(name, sample):
    got = METRICS[name].function(sample)
    if not math.isnan(got) and len(set(sample.targets)) == 2:
        assert got == pytest.approx(SCIKIT[name](sample), abs=1e-12)


@pytest.mark.parametrize("name", METRICS)
@pytest.mark.parametrize("only", [[], [True], [False]])
def test_metric_of_one_class_or_nothing_is_a_number_or_nan(name, only):
    targets = np.array(only, bool)
    sample = Sample(targets, np.zeros(len(only)), np.full(len(only), 0.5), targets)
    value = METRICS[name].function(sample)
    assert math.isnan(value) or 0 <= value <= 1
    assert only or math.isnan(value)


@pytest.mark.parametrize("name", METRICS)
@given(sample=samples(), seed=st.integers(0, 9))
@settings(max_examples=25, deadline=None)
def test_order_and_duplication_of_images_change_nothing(name, sample, seed):
    metric = METRICS[name].function
    order = np.random.default_rng(seed).permutation(np.tile(np.arange(len(sample.targets)), 3))
    arrays = (sample.targets, sample.log_odds, sample.probabilities, sample.decisions)
    shuffled = Sample(*(array[order] for array in arrays))
    near = 1e-7 if name.startswith("calibration") else 1e-12
    assert metric(shuffled) == pytest.approx(metric(sample), abs=near, rel=near, nan_ok=True)


@pytest.mark.parametrize(
    "name", ["auc", "average_precision", *(n for n in METRICS if n.startswith("sensitivity_at"))]
)
@given(sample=samples())
@settings(max_examples=25, deadline=None)
def test_ranking_metrics_ignore_a_monotone_transform(name, sample):
    metric = METRICS[name].function
    stretched = Sample(
        sample.targets, np.exp(sample.log_odds) - 7, sample.probabilities, sample.decisions
    )
    assert metric(stretched) == pytest.approx(metric(sample), abs=1e-12, nan_ok=True)


@pytest.mark.parametrize("name", [n for n, m in METRICS.items() if m.higher_is_better is not None])
def test_direction_points_from_a_bad_model_to_a_perfect_one(name):
    targets = np.tile([True, False, False], 20)
    good = np.where(targets, 9.0, -9.0)
    values = [
        METRICS[name].function(Sample(targets, odds, expit(odds), odds > 0))
        for odds in (good, -good)
    ]
    assert (values[0] > values[1]) == METRICS[name].higher_is_better


def test_ranking_survives_probabilities_that_saturate():
    log_odds = np.array([40.0, 50.0])
    targets = np.array([False, True])
    probabilities = expit(log_odds).astype(np.float32).astype(float)
    assert probabilities[0] == probabilities[1]
    sample = Sample(targets, log_odds, probabilities, targets)
    assert METRICS["auc"].function(sample) == 1.0
    assert METRICS["log_loss"].function(sample) == pytest.approx(20.0)


def test_specificity_of_exactly_nine_tenths_counts():
    targets = np.array([True] + [False] * 10)
    log_odds = np.array([1.0, 2.0, *range(-9, 0)])
    sample = Sample(targets, log_odds, expit(log_odds), targets)
    assert METRICS["sensitivity_at_specificity_0.90"].function(sample) == 1.0
    assert METRICS["sensitivity_at_specificity_0.95"].function(sample) == 0.0


# --- operating points -----------------------------------------------------------------------------


@given(sample=samples())
@settings(max_examples=100, deadline=None)
def test_threshold_is_the_lowest_probability_of_best_f1(sample):
    threshold = best_f1_threshold(sample.targets, sample.probabilities)
    if not sample.targets.any():
        assert threshold is None
        return
    f1 = {
        t: loop_f1(Sample(sample.targets, sample.log_odds, sample.probabilities, called))
        for t in set(sample.probabilities)
        if (called := sample.probabilities >= t) is not None
    }
    assert threshold == min(t for t, value in f1.items() if value == max(f1.values()))


def test_threshold_survives_the_argmax_trap():
    # A metric that took the argmax of the one column would call everything positive.
    targets = np.array([True, True, False, False, False])
    probabilities = np.array([0.4, 0.35, 0.2, 0.1, 0.1])
    threshold = best_f1_threshold(targets, probabilities)
    assert threshold == 0.35
    sample = Sample(targets, np.zeros(5), probabilities, probabilities >= threshold)
    assert METRICS["f1"].function(sample) == 1.0


def test_threshold_of_float32_probabilities_decides_about_them_as_chosen():
    probabilities = np.array([0.1, 0.3, 0.7], np.float32)
    threshold = best_f1_threshold(np.array([False, True, True]), probabilities)
    assert (probabilities.astype(float) >= threshold).tolist() == [False, True, True]


def test_curve_counts_images_at_or_above_each_distinct_score():
    curve = Curve.of(np.array([True, False, True]), np.array([1.0, 1.0, 3.0]))
    assert curve.thresholds.tolist() == [3.0, 1.0]
    assert curve.true_positives.tolist() == [1, 2]
    assert curve.false_positives.tolist() == [0, 1]


# --- exclusive findings ---------------------------------------------------------------------------


@pytest.fixture(params=range(4))
def three_classes(request):
    rng = np.random.default_rng(request.param)
    labels = rng.integers(3, size=40)
    logits = 2 * rng.normal(size=(40, 3)) + np.eye(3)[labels]
    return labels, logits, softmax(logits, axis=1)


def test_multiclass_summary_equals_scikit_learn(three_classes):
    labels, logits, probabilities = three_classes
    called = probabilities.argmax(axis=1)
    got = multiclass.summary(np.eye(3)[labels], multiclass.log_odds(logits), probabilities)
    expected = {
        "accuracy": sk.accuracy_score(labels, called),
        "log_loss": sk.log_loss(labels, probabilities),
        "mcc": sk.matthews_corrcoef(labels, called),
        "brier": sk.brier_score_loss(labels, probabilities, scale_by_half=False),
    }
    assert {key: got[key] for key in expected} == pytest.approx(expected, abs=1e-12)
    hits = Sample(labels == called, labels, probabilities.max(axis=1), labels == called)
    assert got["ece"] == pytest.approx(loop_ece(hits), abs=1e-12)


def test_confusion_matrix_has_true_findings_in_rows(three_classes):
    labels, _, probabilities = three_classes
    matrix = multiclass.confusion_matrix(np.eye(3)[labels], argmax_decisions(probabilities))
    expected = sk.confusion_matrix(labels, probabilities.argmax(axis=1))
    np.testing.assert_array_equal(matrix, expected)


def test_log_odds_are_the_logit_of_the_softmax_and_do_not_saturate(three_classes):
    _, logits, probabilities = three_classes
    np.testing.assert_allclose(expit(multiclass.log_odds(logits)), probabilities, rtol=1e-9)
    sure = multiclass.log_odds(np.array([[90.0, 0.0, 0.0], [99.0, 0.0, 0.0]]))
    assert sure[1, 0] > sure[0, 0]


def test_argmax_ties_go_to_the_first_finding():
    assert argmax_decisions(np.array([[0.4, 0.4, 0.2]])).tolist() == [[True, False, False]]
