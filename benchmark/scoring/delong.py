"""DeLong's variance of the AUC, and its form for several images per patient.

Plain: DeLong, DeLong and Clarke-Pearson (1988), by midranks in O(n log n) as in Sun and Xu
(2014). Clustered: Obuchowski (1997), which sums the structural components of each patient; with
one image per patient it is the plain one, so there is a single code path. What is compared or has
an interval goes by :mod:`benchmark.scoring.influence`, which is made of the same components.
"""

from __future__ import annotations

import numpy as np


def structural_components(targets: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each image the share of the other class it is ranked rightly against, ties a half.

    Args:
        targets: (N,) bool.
        scores: (N,) float.

    Returns:
        (m,) of the positive images and (n,) of the negative ones; the mean of either is the AUC.
    """
    positive, negative = scores[targets], scores[~targets]
    ranks = _midranks(scores)
    of_positive = (ranks[targets] - _midranks(positive)) / len(negative)
    of_negative = 1 - (ranks[~targets] - _midranks(negative)) / len(positive)
    return of_positive, of_negative


def mean_auc_error(targets: np.ndarray, scores: np.ndarray, patients: np.ndarray) -> float | None:
    """Standard error of the mean AUC of F findings on the same patients, clustered.

    Args:
        targets: (N, F), 0 or 1, NaN where unlabelled.
        scores: (N, F).
        patients: (N,) ids.

    Returns:
        Of the mean over the findings that have both a positive and a negative labelled image; None
        where there is none, or where one of them has fewer than two patients of either kind.
    """
    codes = np.unique(patients, return_inverse=True)[1]
    d10, d01, c10, c01 = [], [], [], []
    for truth, values in zip(targets.T, scores.T, strict=True):
        positive, negative = (codes[truth == value] for value in (1, 0))
        if not (len(positive) and len(negative)):
            continue
        if min(len(np.unique(positive)), len(np.unique(negative))) < 2:
            return None
        known = ~np.isnan(truth)
        v10, v01 = structural_components(truth[known] == 1, values[known])
        d10.append(_patient_sums(v10 - v10.mean(), positive, codes))
        d01.append(_patient_sums(v01 - v01.mean(), negative, codes))
        c10.append(_correction(positive) ** 0.5)
        c01.append(_correction(negative) ** 0.5)
    if not d10:
        return None
    of_positive, of_negative = np.array(c10) @ d10 / len(d10), np.array(c01) @ d01 / len(d01)
    labelled = codes[~np.isnan(targets).all(axis=1)]
    cross = np.mean(d10, axis=0) @ np.mean(d01, axis=0) * _correction(labelled)
    variance = of_positive @ of_positive + of_negative @ of_negative + 2 * cross
    return float(max(variance, 0.0)) ** 0.5


def _midranks(values: np.ndarray) -> np.ndarray:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[inverse]


def _patient_sums(deviations: np.ndarray, codes: np.ndarray, every_code: np.ndarray) -> np.ndarray:
    """(patients, ...) sums of (images, ...) deviations, each divided by the number of images."""
    sums = np.zeros((every_code.max() + 1, *deviations.shape[1:]))
    np.add.at(sums, codes, deviations)
    return sums / len(deviations)


def _correction(codes: np.ndarray) -> float:
    n = len(np.unique(codes))
    if n < 2:
        raise ValueError("a variance needs at least two patients of each class")
    return n / (n - 1)
