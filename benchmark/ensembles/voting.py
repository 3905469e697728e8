"""Votes of several models, by arithmetic on their logits alone.

Arrays: M members, N images, F findings. Weights are normalised to a sum of one. Results are logits,
float64 (N, F), whose :func:`benchmark.records.predictions.link` gives the ensemble's probabilities.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import log_expit, log_softmax, logit, logsumexp

UNANIMOUS = 2.0**-24
"""Distance from 0 and 1 of a probability that all votes agree on: no float32 lies between, and its
logit is finite. One wrong unanimous vote adds 16.6 nats to the sum that the log loss averages."""
DECIMALS = 9


def soft_vote(logits: Sequence[np.ndarray], weights: Sequence[float], kind: str) -> np.ndarray:
    """The weighted mean of the members' probabilities, as logits.

    Computed from logarithms throughout, so that images whose probabilities are 0 or 1 in float32
    keep their order.

    Args:
        logits: M arrays (N, F).
        weights: M numbers above zero.
        kind: of the task.
    """
    shares = np.log(_normalised(weights))
    wide = np.stack([np.asarray(each, np.float64) for each in logits])
    if kind == "multiclass":
        return logsumexp(shares + log_softmax(wide, axis=2), axis=0)
    return logsumexp(shares + log_expit(wide), axis=0) - logsumexp(
        shares + log_expit(-wide), axis=0
    )


def hard_vote(decisions: Sequence[np.ndarray], weights: Sequence[float], kind: str) -> np.ndarray:
    """The share of the votes that each finding gets, as logits.

    Shares are rounded to nine decimals, so that equal sums of different weights tie. Ties are left
    to whoever decides: the argmax of exclusive findings takes the first, a threshold on the share
    takes all of them. A share of 0 or 1 is moved by :data:`UNANIMOUS`.

    Args:
        decisions: M arrays (N, F) of bool; where findings are exclusive one True a row.
        weights: M numbers above zero.
        kind: of the task.
    """
    # A sum over the first axis adds in order, so that equal votes give equal bits.
    shares = np.round((_normalised(weights) * np.stack(decisions)).sum(axis=0), DECIMALS)
    shares = np.clip(shares, UNANIMOUS, 1 - UNANIMOUS)
    return np.log(shares) if kind == "multiclass" else logit(shares)


def _normalised(weights: Sequence[float]) -> np.ndarray:
    """Weights with a sum of one, (M, 1, 1)."""
    values = np.asarray(weights, np.float64)
    return (values / values.sum())[:, None, None]
