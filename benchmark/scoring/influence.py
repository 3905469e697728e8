"""What each patient adds to a number: the influence values that its variance is the sum of.

A number that is computed from patients moves with each of them. To first order it is its value
plus one term a patient, and the variance of the number is the sum of the squares of these terms.
Terms of two models on the same patients may be subtracted, and terms of several seeds or findings
averaged: the variance of the paired difference, or of the mean, is again the sum of the squares.
Of an AUC they are the structural components of DeLong, summed by patient (Obuchowski 1997); of a
share, like F1 or sensitivity, those of a ratio of two sums.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from benchmark.records.scores import Interval
from benchmark.scoring.calibration import Design
from benchmark.scoring.delong import structural_components
from benchmark.scoring.intervals import logit, one_sided
from benchmark.scoring.part import Part

_Sides = Callable[[np.ndarray, np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Influence:
    """A number, and what each patient adds to it.

    Attributes:
        value: the number.
        of_patients: (P,) in the order of the patients' ids; they sum to zero, and their squares to
            the variance of the number.
    """

    value: float
    of_patients: np.ndarray

    @property
    def variance(self) -> float:
        """Of the number, from the choice of patients."""
        return float(self.of_patients @ self.of_patients)

    @property
    def degrees(self) -> float:
        """Degrees of freedom of the variance; see :func:`degrees_of_freedom`."""
        return degrees_of_freedom(self.of_patients)

    def __sub__(self, other: Influence) -> Influence:
        """The difference on the same patients."""
        return Influence(self.value - other.value, self.of_patients - other.of_patients)


def mean_of(several: Sequence[Influence]) -> Influence:
    """The mean of numbers on the same patients: of findings, or of seeds."""
    value = float(np.mean([each.value for each in several]))
    return Influence(value, np.mean([each.of_patients for each in several], axis=0))


def mean_of_defined(several: Sequence[Influence | None]) -> Influence | None:
    """The same; None without any, or where one of them is undefined."""
    defined = [each for each in several if each is not None]
    return mean_of(defined) if defined and len(defined) == len(several) else None


def degrees_of_freedom(of_patients: np.ndarray) -> float:
    """Degrees of freedom of a sum of squares, by Satterthwaite: 2 E^2 / Var, at least one.

    Both moments are estimated from the (P,) terms themselves. Of P normal terms it is near P; of
    terms that are nearly all of a few patients near the number of these.
    """
    squares = of_patients**2
    total, n = float(squares.sum()), len(squares)
    if total <= 0:
        return float("inf")
    spread = float(squares @ squares) / total**2 - 1 / n
    return max(1.0, min(2 / spread if spread > 0 else float(n), float(n)))


def bounded(number: Influence, patients: int) -> Interval:
    """95 % interval of a number in [0, 1] on the logit scale, with t of its degrees of freedom.

    At 0 or 1 it is one-sided; ``patients`` are then those that it rests on, see `one_sided`.
    """
    if number.value in (0, 1):
        return one_sided(number.value, patients)
    return logit(number.value, number.variance, number.degrees)


def auc(targets: np.ndarray, scores: np.ndarray, patients: np.ndarray) -> Influence | None:
    """The AUC of one finding.

    Args:
        targets: (N,) of 0, 1 and NaN (unlabelled).
        scores: (N,).
        patients: (N,) whole numbers from 0.

    Returns:
        Terms of as many patients as the largest number says; None without images of both classes.
    """
    known = ~np.isnan(targets)
    positive, scores = targets[known] == 1, scores[known]
    codes, size = patients[known], int(patients.max()) + 1
    if positive.all() or not positive.any():
        return None
    components = structural_components(positive, scores)
    value = float(components[0].mean())
    sides = zip(components, (codes[positive], codes[~positive]), strict=True)
    return Influence(value, np.sum([_side(*side, value, size) for side in sides], axis=0))


def _side(components: np.ndarray, codes: np.ndarray, value: float, size: int) -> np.ndarray:
    sums = np.bincount(codes, weights=components - value, minlength=size) / len(codes)
    return sums * _small_sample(codes)


def _small_sample(codes: np.ndarray) -> float:
    n = len(np.unique(codes))
    return (n / (n - 1)) ** 0.5 if n > 1 else 1.0


def share(part: np.ndarray, whole: np.ndarray, patients: np.ndarray) -> Influence | None:
    """Sum of ``part`` over sum of ``whole``, (N,) each, both counted by patient as in `auc`.

    None where the whole is zero.
    """
    size = int(patients.max()) + 1
    total = whole.sum()
    if not total:
        return None
    value = float(part.sum() / total)
    counted = patients[whole != 0]
    sums = np.bincount(patients, weights=part - value * whole, minlength=size) / total
    return Influence(value, sums * _small_sample(counted))


def coefficient(
    design: Callable[[np.ndarray], Design],
    targets: np.ndarray,
    log_odds: np.ndarray,
    patients: np.ndarray,
) -> Influence | None:
    """The first coefficient of a logistic regression, with the terms of the sandwich estimator.

    Arguments as in `auc`; None where there is no such coefficient.
    """
    known = ~np.isnan(targets)
    truth, codes, fit = targets[known] == 1, patients[known], design(log_odds[known])
    beta = fit.fitted(truth)
    if beta is None:
        return None
    residual, information = fit.moments(truth, beta)
    terms = np.linalg.solve(information, (fit.inputs * residual[:, None]).T)[0]
    sums = np.bincount(codes, weights=terms, minlength=int(patients.max()) + 1)
    return Influence(float(beta[0]), sums * _small_sample(codes))


def macro_coefficient(
    design: Callable[[np.ndarray], Design], part: Part, macro: Sequence[int]
) -> Influence | None:
    """Mean coefficient over findings; see `macro_auc`."""
    columns = ((part.targets[:, i], part.log_odds[:, i]) for i in macro)
    return mean_of_defined([coefficient(design, *column, part.patients) for column in columns])


def macro_auc(part: Part, macro: Sequence[int]) -> Influence | None:
    """Mean AUC over findings; None without any, or where one is undefined."""
    return mean_of_defined(
        [auc(part.targets[:, i], part.log_odds[:, i], part.patients) for i in macro]
    )


def macro_f1(part: Part, macro: Sequence[int]) -> Influence | None:
    """Mean F1 over findings at the decisions of a part, as they are; see `macro_auc`."""
    return _macro_share(
        part, macro, lambda true, false, called: (2 * (true & called), 1 * true + called)
    )


def macro_sensitivity(part: Part, macro: Sequence[int]) -> Influence | None:
    """Mean sensitivity over findings; see `macro_f1`."""
    return _macro_share(part, macro, lambda true, false, called: (true & called, true))


def macro_specificity(part: Part, macro: Sequence[int]) -> Influence | None:
    """Mean specificity over findings; see `macro_f1`."""
    return _macro_share(part, macro, lambda true, false, called: (false & ~called, false))


def macro_brier(part: Part, macro: Sequence[int]) -> Influence | None:
    """Mean Brier score over findings; of exclusive ones the sum over all of them."""
    squares = (part.probabilities - part.targets) ** 2
    known = ~np.isnan(squares)
    squares = np.nan_to_num(squares)
    if part.exclusive:
        return share(squares.sum(axis=1), known.all(axis=1) * 1.0, part.patients)
    return mean_of_defined([share(squares[:, i], known[:, i] * 1.0, part.patients) for i in macro])


def _macro_share(part: Part, macro: Sequence[int], sides: _Sides) -> Influence | None:
    found = []
    for i in macro:
        known = ~np.isnan(part.targets[:, i])
        true, false = part.targets[:, i] == 1, part.targets[:, i] == 0
        of, whole = sides(true, false, part.decisions[:, i] & known)
        found.append(share(1.0 * of, 1.0 * whole, part.patients))
    return mean_of_defined(found)
