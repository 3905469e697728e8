"""Calibration of probabilities by logistic regression of what is true on their log-odds.

Van Calster et al. (2016): the intercept is calibration in the large, what is to be added to the
log-odds so that their mean is right, 0 at best; the slope is what they are to be multiplied by, 1
at best, less where a model is too sure of itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

STEPS = 100


def intercept(targets: np.ndarray, log_odds: np.ndarray) -> float | None:
    """Calibration in the large, in nats, of (N,) bool targets and log-odds.

    None where all targets are the same.
    """
    return _first(intercept_design(log_odds), targets)


def slope(targets: np.ndarray, log_odds: np.ndarray) -> float | None:
    """Calibration slope of (N,) bool targets and log-odds.

    None where all targets are the same, ranks are perfect, or log-odds nowhere differ.
    """
    return _first(slope_design(log_odds), targets)


def separated(targets: np.ndarray, inputs: np.ndarray) -> bool:
    """Whether all (N,) inputs of one class lie above all of the other, or nowhere differ."""
    up, down = inputs[targets], inputs[~targets]
    return bool(up.min() >= down.max() or down.min() >= up.max())


@dataclass(frozen=True)
class Design:
    """A logistic regression: (N, C) inputs, and the (N,) offset that stands beside them."""

    inputs: np.ndarray
    offset: np.ndarray

    def fitted(self, targets: np.ndarray) -> np.ndarray | None:
        """The (C,) most likely coefficients, by Newton's method; None where there are none."""
        if targets.all() or not targets.any():
            return None
        if self.inputs.shape[1] > 1 and separated(targets, self.inputs[:, 0]):
            return None
        beta = np.zeros(self.inputs.shape[1])
        for _ in range(STEPS):
            residual, information = self.moments(targets, beta)
            if np.linalg.cond(information) > 1 / np.finfo(float).eps:
                return None
            step = self._shortened(
                targets, beta, np.linalg.solve(information, self.inputs.T @ residual)
            )
            beta = beta + step
            if np.abs(step).max() <= 1e-11 * (1 + np.abs(beta).max()):
                return beta
        return None

    def moments(self, targets: np.ndarray, beta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(N,) residuals, and the (C, C) information."""
        from scipy.special import expit

        probability = expit(self.inputs @ beta + self.offset)
        spread = (probability * (1 - probability))[:, None]
        return targets - probability, self.inputs.T @ (self.inputs * spread)

    def _shortened(self, targets: np.ndarray, beta: np.ndarray, step: np.ndarray) -> np.ndarray:
        """Halved until the likelihood does not fall by more than rounding."""
        before = self._loss(targets, beta) * (1 + 1e-12)
        while self._loss(targets, beta + step) > before:
            step = step / 2
        return step

    def _loss(self, targets: np.ndarray, beta: np.ndarray) -> float:
        log_odds = self.inputs @ beta + self.offset
        return float(np.logaddexp(0, np.where(targets, -log_odds, log_odds)).sum())


def intercept_design(log_odds: np.ndarray) -> Design:
    """Of the intercept, beside the (N,) log-odds as they are."""
    return Design(np.ones((len(log_odds), 1)), log_odds)


def slope_design(log_odds: np.ndarray) -> Design:
    """Of slope, first, and intercept, of (N,) log-odds."""
    return Design(np.stack([log_odds, np.ones(len(log_odds))], axis=1), np.zeros(len(log_odds)))


def _first(design: Design, targets: np.ndarray) -> float | None:
    beta = design.fitted(targets)
    return None if beta is None else float(beta[0])
