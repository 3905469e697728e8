"""How far an image lies from normal ones: a Gaussian of normal features at every location.

After PaDiM (Defard et al. 2021, arXiv:2011.08785), on one feature map of a trained classifier
(Lee et al. 2018, arXiv:1807.03888); covariances shrunk by Ledoit and Wolf 2004. The classifier's
confidence stands beside the score, and an image is flagged by either, as in Zhang et al. 2020
(doi:10.1109/TMI.2020.3040950), who train both jointly; here nothing is trained.

Arrays: N images, L locations, C channels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import expit

CHANNELS = 100
"""At most so many channels, drawn at random, as PaDiM does for a ResNet-18."""
FLOOR = 1e-3
"""Of the mean variance, added to every variance: some units never fire at some locations."""
NORMAL_PASSED = 0.95
"""Share of normal validation images that each half of the rule lets pass."""


@dataclass(frozen=True)
class NormalModel:
    """Mean (L, C) and inverse covariance (L, C, C) of normal features, float64."""

    mean: np.ndarray
    precision: np.ndarray

    @classmethod
    def fitted(cls, features: np.ndarray) -> NormalModel:
        """The model of normal images by their features (N, L, C)."""
        mean = features.mean(axis=0, dtype=np.float64)
        off = _by_location(features - mean)
        floor = FLOOR * np.square(off).mean() * np.eye(off.shape[2])
        return cls(mean, np.linalg.inv(_shrunk_covariances(off) + floor))

    def distances(self, features: np.ndarray) -> np.ndarray:
        """Mahalanobis distance of every location from normal, (N, L) of features (N, L, C)."""
        off = _by_location(features - self.mean)
        return np.sqrt(np.einsum("lnc,lnc->nl", off @ self.precision, off))


def _by_location(features: np.ndarray) -> np.ndarray:
    """(L, N, C) of (N, L, C), laid out so that products of matrices are fast."""
    return np.ascontiguousarray(features.swapaxes(0, 1))


def _shrunk_covariances(off: np.ndarray) -> np.ndarray:
    """Ledoit and Wolf's estimate (L, C, C) of centred features (L, N, C).

    For all locations at once; Ledoit and Wolf 2004, doi:10.1016/S0047-259X(03)00096-4.
    """
    _, n, c = off.shape
    found = off.swapaxes(1, 2) @ off / n
    size = np.square(found).sum(axis=(1, 2))
    mean = np.trace(found, axis1=1, axis2=2) / c
    scatter = size - c * mean**2
    error = (np.square(np.square(off).sum(axis=2)).mean(axis=1) - size) / n
    share = np.divide(error, scatter, out=np.ones_like(error), where=scatter > error)[:, None, None]
    return (1 - share) * found + share * mean[:, None, None] * np.eye(c)


def drawn_channels(n: int, seed: int) -> np.ndarray:
    """Positions of the channels that are looked at, ascending, at most :data:`CHANNELS` of n."""
    random = np.random.default_rng(seed)
    return np.sort(random.permutation(n)[:CHANNELS])


def image_scores(distances: np.ndarray) -> np.ndarray:
    """The largest distance (N,) of any location, PaDiM's score: the map shows what made it."""
    return distances.max(axis=1)


def temperature(logits: np.ndarray, targets: np.ndarray) -> float:
    """By what to divide logits (N,) so that their probabilities fit targets (N,) of 0 and 1.

    Guo et al. 2017, arXiv:1706.04599; between 0.05 and 20.
    """

    def loss(log_t: float) -> float:
        return np.logaddexp(0, np.where(targets > 0, -logits, logits) / np.exp(log_t)).mean()

    return float(np.exp(minimize_scalar(loss, bounds=np.log((0.05, 20)), method="bounded").x))


def confidences(logits: np.ndarray, temperature: float) -> np.ndarray:
    """Calibrated probability (N,) of the class that a binary classifier chooses, 0.5 to 1."""
    return expit(np.abs(logits) / temperature)


@dataclass(frozen=True)
class Rule:
    """Flags an image where its score is above ``score`` or its confidence below ``confidence``."""

    score: float
    confidence: float

    @classmethod
    def frozen(cls, scores: np.ndarray, confidence: np.ndarray) -> Rule:
        """Each half passes :data:`NORMAL_PASSED` of these normal validation images, or more.

        Args:
            scores: (N,) as of :func:`image_scores`.
            confidence: (N,) as of :func:`confidences`.
        """
        return cls(
            float(np.quantile(scores, NORMAL_PASSED, method="higher")),
            float(np.quantile(confidence, 1 - NORMAL_PASSED, method="lower")),
        )

    def outcome(
        self, scores: np.ndarray, confidence: np.ndarray, anomalous: np.ndarray
    ) -> dict[str, dict[str, Any]]:
        """Sensitivity and specificity of the rule and of its halves; None without such images.

        Args:
            scores, confidence: (N,), as of :meth:`frozen`.
            anomalous: (N,) bool.
        """
        high, unsure = scores > self.score, confidence < self.confidence
        flagged = {"score": high, "confidence": unsure, "either": high | unsure}
        return {
            name: {
                "sensitivity": float(each[anomalous].mean()) if anomalous.any() else None,
                "specificity": float(1 - each[~anomalous].mean()) if not anomalous.all() else None,
            }
            for name, each in flagged.items()
        }
