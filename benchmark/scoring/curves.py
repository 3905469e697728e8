"""Curves of one finding, each with a band: ROC, precision against recall, calibration.

The runs of a configuration, its seeds, are scored on the same images. What is drawn for the
configuration is the mean of its runs' curves; the band is that of the same mean in a bootstrap over
patients, pointwise, with the draws of `bootstrap.multiplicities`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from benchmark.scoring.bootstrap import multiplicities
from benchmark.scoring.intervals import percentile
from benchmark.scoring.metrics import CALIBRATION_BINS, Curve
from benchmark.scoring.protocol import MINIMUM_PATIENTS

GRID = np.linspace(0, 1, 101)
"""The false positive rates, and the recalls, at which a band is known."""
RESAMPLES = 500
_BLOCK_ELEMENTS = 2_000_000
_LAST_BIT = 1e-12  # 3/10 must reach a grid point that a float holds as 0.30000000000000004


@dataclass(frozen=True)
class Band:
    """Mean curve of the runs at `GRID` and its pointwise 95 % limits, each (101,) in [0, 1]."""

    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray


@dataclass(frozen=True)
class Reliability:
    """Calibration of one finding by equal-width bins; bins without an image are left out.

    Attributes:
        confidence: (K,) mean probability of the bin's images.
        frequency: (K,) share of them that is positive.
        low, high: (K,) 95 % limits of the frequency; NaN for a bin of fewer than 10 patients, or
            with positive images only, or none: resampling those shows no spread.
        images: (K,) number of images, mean over the runs.
    """

    confidence: np.ndarray
    frequency: np.ndarray
    low: np.ndarray
    high: np.ndarray
    images: np.ndarray


def roc_points(targets: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(K + 1,) false and true positive rates from (0, 0) to (1, 1); equal scores are one step.

    Args:
        targets: (N,) bool, some positive and some not.
        scores: (N,), higher where a finding is the likelier.
    """
    curve = Curve.of(targets, scores)
    false, true = (
        np.concatenate([[0.0], side])
        for side in (
            curve.false_positives / curve.negatives,
            curve.true_positives / curve.positives,
        )
    )
    return false, true


def precision_recall_points(
    targets: np.ndarray, scores: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(K,) recalls, rising, and the precision at each distinct score; see `roc_points`."""
    curve = Curve.of(targets, scores)
    called = curve.true_positives + curve.false_positives
    return curve.true_positives / curve.positives, curve.true_positives / called


def roc_band(
    targets: np.ndarray,
    scores: np.ndarray,
    patients: np.ndarray,
    *,
    seed_text: str,
    resamples: int = RESAMPLES,
) -> Band:
    """Sensitivity at each false positive rate, straight lines between the points of a curve.

    Args:
        targets: (N,) bool, some positive and some not.
        scores: (S, N), a row a run.
        patients: (N,) ids.
        seed_text: what the resamples are drawn from.
        resamples: number of resamples; one that lost a class is left out.
    """
    return _band(_sensitivity, targets, scores, patients, seed_text, resamples)


def precision_recall_band(
    targets: np.ndarray,
    scores: np.ndarray,
    patients: np.ndarray,
    *,
    seed_text: str,
    resamples: int = RESAMPLES,
) -> Band:
    """Precision at the strictest threshold that reaches each recall; see `roc_band`."""
    return _band(_precision, targets, scores, patients, seed_text, resamples)


def reliability(
    targets: np.ndarray,
    probabilities: np.ndarray,
    patients: np.ndarray,
    *,
    seed_text: str,
    resamples: int = RESAMPLES,
) -> Reliability:
    """How often a finding is there at each stated probability; the images of all runs together.

    Args:
        targets: (N,) bool.
        probabilities: (S, N) in [0, 1], a row a run; the bins are those of the metric ``ece``.
        patients: (N,) ids.
        seed_text: what the resamples are drawn from.
        resamples: number of resamples.
    """
    ids, codes = np.unique(patients, return_inverse=True)
    bins = np.minimum((probabilities * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    everywhere = np.broadcast_to(codes, bins.shape)
    shape = (CALIBRATION_BINS, len(ids))
    whole, positive, stated = (np.zeros(shape) for _ in range(3))
    np.add.at(whole, (bins, everywhere), 1)
    np.add.at(positive, (bins, everywhere), np.broadcast_to(targets, bins.shape))
    np.add.at(stated, (bins, everywhere), probabilities)
    used = whole.sum(axis=1) > 0
    draws = np.hstack(list(multiplicities(len(ids), resamples, seed_text, "test")))
    with np.errstate(invalid="ignore"):  # a bin whose patients were not drawn
        drawn = (positive[used] @ draws) / (whole[used] @ draws)
    images = whole[used].sum(axis=1)
    frequency = positive[used].sum(axis=1) / images
    enough = (whole[used] > 0).sum(axis=1) >= MINIMUM_PATIENTS
    mixed = (frequency > 0) & (frequency < 1)
    limits = [percentile(d) if e else None for d, e in zip(drawn, enough & mixed, strict=True)]
    low, high = np.array([limit or (np.nan, np.nan) for limit in limits], float).T
    return Reliability(
        stated[used].sum(axis=1) / images,
        frequency,
        low,
        high,
        images / len(probabilities),
    )


def _band(
    at_grid: Callable[[np.ndarray, np.ndarray], np.ndarray],
    targets: np.ndarray,
    scores: np.ndarray,
    patients: np.ndarray,
    seed_text: str,
    resamples: int,
) -> Band:
    ids, codes = np.unique(patients, return_inverse=True)
    stairs = [_Stairs.of(targets, run, codes) for run in scores]
    mean = np.mean([at_grid(*next(s.drawn(np.ones((len(ids), 1))))) for s in stairs], axis=0)
    block = max(1, min(resamples, _BLOCK_ELEMENTS // len(targets)))
    drawn = []
    for weights in multiplicities(len(ids), resamples, seed_text, "test", block):
        of_runs = zip(*(s.drawn(weights) for s in stairs), strict=True)
        drawn += [np.mean([at_grid(*counts) for counts in runs], axis=0) for runs in of_runs]
    defined = np.array([curve for curve in drawn if not np.isnan(curve).any()])
    low, high = np.percentile(defined, [2.5, 97.5], axis=0)
    return Band(mean, low, high)


@dataclass(frozen=True)
class _Stairs:
    """One run's images from the highest score to the lowest, and where each score begins."""

    positive: np.ndarray  # (N,) float, sorted
    codes: np.ndarray  # (N,) patient of each image
    starts: np.ndarray  # (K,)

    @classmethod
    def of(cls, targets: np.ndarray, scores: np.ndarray, codes: np.ndarray) -> _Stairs:
        order = np.argsort(-scores, kind="stable")
        falls = np.diff(scores[order], prepend=np.inf) != 0
        return cls(targets[order].astype(float), codes[order], np.flatnonzero(falls))

    def drawn(self, weights: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """(K,) true and false positives at every score under each column of (patients, B)."""
        images = weights[self.codes]
        right = np.add.reduceat(images * self.positive[:, None], self.starts).cumsum(axis=0)
        everything = np.add.reduceat(images, self.starts).cumsum(axis=0)
        return zip(right.T, (everything - right).T, strict=True)


def _sensitivity(true: np.ndarray, false: np.ndarray) -> np.ndarray:
    if not (true[-1] and false[-1]):
        return np.full(len(GRID), np.nan)
    x, y = (np.concatenate([[0.0], side / side[-1]]) for side in (false, true))
    return np.interp(GRID, x, y)


def _precision(true: np.ndarray, false: np.ndarray) -> np.ndarray:
    if not (true[-1] and false[-1]):
        return np.full(len(GRID), np.nan)
    called = true + false
    true, called = true[called > 0], called[called > 0]  # scores of patients that were not drawn
    first = np.searchsorted(true / true[-1] + _LAST_BIT, GRID)
    return (true / called)[first]
