"""Point metrics of one finding, each with its direction declared beside it.

Every metric takes a `Sample` and returns a float, NaN where it is undefined. The names in
`METRICS` are the keys of the ``per_finding`` part of a scored row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from benchmark.scoring import calibration

GUESSING = 0.5
"""The AUC of it."""

CALIBRATION_BINS = 15


@dataclass(frozen=True)
class Curve:
    """Counts at every distinct score, from the strictest threshold to the most lenient.

    Attributes:
        thresholds: (K,) distinct scores, descending.
        true_positives, false_positives: (K,) images with ``score >= thresholds[k]``.
        positives, negatives: number of images of each class.
    """

    thresholds: np.ndarray
    true_positives: np.ndarray
    false_positives: np.ndarray
    positives: int
    negatives: int

    @classmethod
    def of(cls, targets: np.ndarray, scores: np.ndarray) -> Curve:
        """The curve of (N,) bool targets and (N,) scores; equal scores share one point."""
        thresholds, group = np.unique(-scores, return_inverse=True)
        positives = np.bincount(group, weights=targets, minlength=len(thresholds)).cumsum()
        everything = np.bincount(group, minlength=len(thresholds)).cumsum()
        n_positive = int(targets.sum())
        return cls(
            -thresholds, positives, everything - positives, n_positive, len(targets) - n_positive
        )


@dataclass(frozen=True)
class Sample:
    """The labelled images of one finding in one split.

    Attributes:
        targets: (N,) bool.
        log_odds: (N,) float64, the logit of the probability. Ranking uses it because float32
            probabilities saturate at 0 and 1 and would tie what the model told apart.
        probabilities: (N,) float64 in [0, 1].
        decisions: (N,) bool.
    """

    targets: np.ndarray
    log_odds: np.ndarray
    probabilities: np.ndarray
    decisions: np.ndarray

    @cached_property
    def curve(self) -> Curve:
        """The operating points of the log-odds."""
        return Curve.of(self.targets, self.log_odds)

    @cached_property
    def confusion(self) -> tuple[int, int, int, int]:
        """Number of images (tn, fp, fn, tp)."""
        cells = np.bincount(2 * self.targets.astype(int) + self.decisions, minlength=4)
        tn, fp, fn, tp = cells.tolist()
        return tn, fp, fn, tp


@dataclass(frozen=True)
class Metric:
    """A function of a `Sample` and whether more of it is better; None: best in between."""

    function: Callable[[Sample], float]
    higher_is_better: bool | None


METRICS: dict[str, Metric] = {}


_Function = Callable[[Sample], float]
_Fit = Callable[[np.ndarray, np.ndarray], float | None]


def _declare(name: str, *, higher_is_better: bool | None) -> Callable[[_Function], _Function]:
    def register(function: _Function) -> _Function:
        METRICS[name] = Metric(function, higher_is_better)
        return function

    return register


def ratio(part: float, whole: float) -> float:
    """``part / whole``, NaN where the whole is zero."""
    return part / whole if whole else float("nan")


def mean_of_defined(values: Iterable[float]) -> float | None:
    """Mean of the values that are not NaN; None without any."""
    defined = [value for value in values if not np.isnan(value)]
    return float(np.mean(defined)) if defined else None


@_declare("auc", higher_is_better=True)
def auc(sample: Sample) -> float:
    """Probability that a positive image outranks a negative one, ties counting a half."""
    c = sample.curve
    false_steps = np.diff(c.false_positives, prepend=0)
    doubled = false_steps @ (2 * c.true_positives - np.diff(c.true_positives, prepend=0))
    return ratio(float(doubled), 2 * c.positives * c.negatives)


@_declare("average_precision", higher_is_better=True)
def average_precision(sample: Sample) -> float:
    """Precision at every distinct threshold, weighted by the recall gained there."""
    c = sample.curve
    precision = c.true_positives / (c.true_positives + c.false_positives)
    return ratio(float(precision @ np.diff(c.true_positives, prepend=0)), c.positives)


@_declare("f1", higher_is_better=True)
def f1(sample: Sample) -> float:
    """2 tp / (2 tp + fp + fn); undefined with neither a positive nor a positive decision."""
    _, fp, fn, tp = sample.confusion
    return ratio(2 * tp, 2 * tp + fp + fn)


@_declare("best_f1", higher_is_better=True)
def best_f1(sample: Sample) -> float:
    """The best F1 of all thresholds on these very images: an oracle, no model's own number."""
    c = sample.curve
    f1s = 2 * c.true_positives / (c.true_positives + c.false_positives + c.positives)
    return float(f1s.max()) if c.positives else float("nan")


@_declare("accuracy", higher_is_better=True)
def accuracy(sample: Sample) -> float:
    """Share of right decisions."""
    tn, fp, fn, tp = sample.confusion
    return ratio(tp + tn, tn + fp + fn + tp)


@_declare("sensitivity", higher_is_better=True)
def sensitivity(sample: Sample) -> float:
    """Share of the positive images that are called positive."""
    _, _, fn, tp = sample.confusion
    return ratio(tp, tp + fn)


@_declare("specificity", higher_is_better=True)
def specificity(sample: Sample) -> float:
    """Share of the negative images that are called negative."""
    tn, fp, _, _ = sample.confusion
    return ratio(tn, tn + fp)


@_declare("ppv", higher_is_better=True)
def ppv(sample: Sample) -> float:
    """Positive predictive value; undefined where nothing is called positive."""
    _, fp, _, tp = sample.confusion
    return ratio(tp, tp + fp)


@_declare("npv", higher_is_better=True)
def npv(sample: Sample) -> float:
    """Negative predictive value; undefined where nothing is called negative."""
    tn, _, fn, _ = sample.confusion
    return ratio(tn, tn + fn)


@_declare("balanced_accuracy", higher_is_better=True)
def balanced_accuracy(sample: Sample) -> float:
    """Mean of sensitivity and specificity."""
    return (sensitivity(sample) + specificity(sample)) / 2


@_declare("mcc", higher_is_better=True)
def mcc(sample: Sample) -> float:
    """Matthews correlation coefficient; 0 for a constant decision, as its limit is."""
    tn, fp, fn, tp = sample.confusion
    if not (tp + fn and tn + fp):
        return float("nan")
    margins = float(tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)
    return (tp * tn - fp * fn) / margins**0.5 if margins else 0.0


@_declare("brier", higher_is_better=False)
def brier(sample: Sample) -> float:
    """Mean squared distance of probability and target (Brier 1950)."""
    return ratio(float(((sample.probabilities - sample.targets) ** 2).sum()), len(sample.targets))


@_declare("ece", higher_is_better=False)
def ece(sample: Sample) -> float:
    """Expected calibration error of the positive probability (Naeini et al. 2015)."""
    return calibration_error(sample.probabilities, sample.targets)


@_declare("log_loss", higher_is_better=False)
def log_loss(sample: Sample) -> float:
    """Mean binary cross-entropy in nats, from log-odds so that certainty stays finite."""
    against = np.where(sample.targets, -sample.log_odds, sample.log_odds)
    return ratio(float(np.logaddexp(0, against).sum()), len(sample.targets))


@_declare("calibration_slope", higher_is_better=None)
def calibration_slope(sample: Sample) -> float:
    """What log-odds are to be multiplied by; see `calibration`. Undefined for perfect ranks."""
    return _coefficient(calibration.slope, sample)


@_declare("calibration_intercept", higher_is_better=None)
def calibration_intercept(sample: Sample) -> float:
    """What is to be added to log-odds so that their mean is right; see `calibration`."""
    return _coefficient(calibration.intercept, sample)


@_declare("sensitivity_at_specificity_0.90", higher_is_better=True)
def sensitivity_at_specificity_90(sample: Sample) -> float:
    """Highest sensitivity on the ROC curve of these images with specificity 0.90 or more."""
    return _sensitivity_at(sample.curve, 90)


@_declare("sensitivity_at_specificity_0.95", higher_is_better=True)
def sensitivity_at_specificity_95(sample: Sample) -> float:
    """Highest sensitivity on the ROC curve of these images with specificity 0.95 or more."""
    return _sensitivity_at(sample.curve, 95)


def _coefficient(fit: _Fit, sample: Sample) -> float:
    found = fit(sample.targets, sample.log_odds)
    return float("nan") if found is None else found


def _sensitivity_at(curve: Curve, percent: int) -> float:
    # Whole numbers: 1 - 1/10 >= 0.9 must not hang on the last bit of a float.
    if not curve.negatives:
        return float("nan")
    allowed = 100 * curve.false_positives <= (100 - percent) * curve.negatives
    return ratio(float(curve.true_positives[allowed].max(initial=0)), curve.positives)


def calibration_error(confidences: np.ndarray, correct: np.ndarray) -> float:
    """Mean gap between confidence and frequency over `CALIBRATION_BINS` equal-width bins.

    Args:
        confidences: (N,) in [0, 1]; a bin holds its lower edge, the last one also 1.
        correct: (N,) bool.
    """
    bins = np.minimum((confidences * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    gaps = np.bincount(bins, weights=confidences - correct, minlength=CALIBRATION_BINS)
    return ratio(float(np.abs(gaps).sum()), len(confidences))
