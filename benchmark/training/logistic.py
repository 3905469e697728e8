"""Logistic regression on features, its penalty chosen on validation. Imports no framework.

Fitted by scikit-learn's L-BFGS, in which there is no chance.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from benchmark.records.predictions import link
from benchmark.records.run_facts import PenaltyFacts
from benchmark.scoring.macro import macro_auc
from benchmark.task import Task
from benchmark.training.standardise import mean_and_scale

STRENGTHS = (10.0, 1.0, 0.1, 0.01, 0.001, 0.0001)
"""What is tried, the strongest first: the factor of half the squared weights (L2; the intercept is
free) beside the mean cross-entropy, on standardised features."""
MOST_STEPS = 1000
"""Of L-BFGS. A weak penalty may need more; a fit that is cut short is held back by that."""


class Labelled(NamedTuple):
    """Features (N, D) and targets (N, F): 0 or 1, negative where not labelled."""

    features: np.ndarray
    targets: np.ndarray


class Dense(NamedTuple):
    """A dense layer: features (N, D) @ ``kernel`` (D, F) + ``bias`` (F,) are logits (N, F)."""

    kernel: np.ndarray
    bias: np.ndarray


class _Found(NamedTuple):
    """A regression of one finding, or of all exclusive ones, on standardised features.

    Attributes:
        scores: by strength the AUC on validation; empty where nothing could be fitted.
        chosen: the strength.
        constant: (F,), which findings are always or never present in training.
    """

    dense: Dense
    scores: list[float | None]
    chosen: float | None
    constant: np.ndarray


def fit_logistic(
    train: Labelled, validation: Labelled, task: Task, beat: Callable[[], None] = lambda: None
) -> tuple[Dense, PenaltyFacts]:
    """The regression as a float64 layer on features as they are, and how its penalty was chosen.

    Independent findings have one each, fitted to the images that are labelled for it; exclusive
    ones have a multinomial one, fitted to those that are labelled whole. The penalty of each has
    the highest exact AUC on validation (of exclusive findings the macro AUC); of equals, and where
    that is undefined, it is the strongest. A finding that is always or never present in training
    gets its prevalence, whatever the image.

    Args:
        beat: called before each fit.
    """
    mean, scale = mean_and_scale(train.features)
    train, validation = (
        Labelled((each.features - mean) / scale, each.targets) for each in (train, validation)
    )
    width = task.n_outputs if task.exclusive else 1
    parts = [slice(first, first + width) for first in range(0, task.n_outputs, width)]
    with threadpool_limits(1):  # more wait for memory, and add up in another order
        found = [_chosen(_of(train, part), _of(validation, part), beat) for part in parts]
    kernel = np.hstack([each.dense.kernel for each in found]) / scale[:, None]
    bias = np.hstack([each.dense.bias for each in found]) - mean @ kernel
    constant = np.hstack([each.constant for each in found])
    facts = PenaltyFacts(
        strengths=list(STRENGTHS),
        validation_auc=[each.scores for each in found],
        chosen=[each.chosen for each in found],
        constant=[f for f, one in zip(task.findings, constant, strict=True) if one],
    )
    return Dense(kernel, bias), facts


def _of(labelled: Labelled, findings: slice) -> Labelled:
    return Labelled(labelled.features, labelled.targets[:, findings])


def _chosen(train: Labelled, validation: Labelled, beat: Callable[[], None]) -> _Found:
    known = (train.targets >= 0).all(axis=1)
    targets = train.targets[known]
    exclusive = targets.shape[1] > 1
    classes = targets.argmax(axis=1) if exclusive else targets[:, 0]
    constant = (targets == targets[:1]).all(axis=0)
    prior = Dense(np.zeros((train.features.shape[1], len(constant))), _log_odds(targets))
    if constant.all():
        return _Found(prior, [], None, constant)
    features = train.features if known.all() else train.features[known]
    truth = np.where(validation.targets < 0, np.nan, validation.targets)
    model = LogisticRegression(warm_start=True, max_iter=MOST_STEPS)
    layers, scores = [], []
    for strength in STRENGTHS:
        beat()
        model.set_params(C=1 / (strength * len(targets)))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(features, classes)
        layers.append(_filled(prior, model))
        logits = validation.features @ layers[-1].kernel + layers[-1].bias
        scores.append(macro_auc(truth, link(logits, "multiclass") if exclusive else logits))
    best = max(range(len(STRENGTHS)), key=lambda k: scores[k] or 0.0)  # the first of equals
    return _Found(layers[best], scores, STRENGTHS[best], constant)


def _log_odds(targets: np.ndarray) -> np.ndarray:
    """(F,) of the prevalence, or of exclusive findings the logarithm of their shares.

    One of 0 or 1 becomes that of half a case among one more image, which keeps it finite.
    """
    least = 1 / (2 * (len(targets) + 1))
    share = np.clip(targets.sum(axis=0) / max(len(targets), 1), least, 1 - least)
    return np.log(share) if len(share) > 1 else np.log(share / (1 - share))


def _filled(prior: Dense, model: LogisticRegression) -> Dense:
    """The layer with the findings that a regression has learnt; the others stay as they are."""
    kernel, bias = prior.kernel.copy(), prior.bias.copy()
    if len(bias) == 1:
        kernel[:], bias[:] = model.coef_.T, model.intercept_
        return Dense(kernel, bias)
    coefficients, intercepts = model.coef_, model.intercept_
    if len(coefficients) == 1:  # of two classes scikit-learn has the difference alone
        coefficients = np.concatenate([-coefficients, coefficients]) / 2
        intercepts = np.concatenate([-intercepts, intercepts]) / 2
    seen = model.classes_.astype(int)
    kernel[:, seen], bias[seen] = coefficients.T, intercepts
    return Dense(kernel, bias)
