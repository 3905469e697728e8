"""Logistic regression on the shape of the original file: what can be told without opening it."""

from __future__ import annotations

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import SplineTransformer, StandardScaler

from benchmark.models import NotApplicable
from benchmark.models._regressions import fit_logits

CARD = {
    "title": "Geometry only (shape of the file)",
    "description": "Logistic regression on splines of original width, height, aspect ratio, pixel "
    "spacing, bit depth and bytes a pixel; sees no pixel.",
    "reference": "Eilers and Marx 1996, doi:10.1214/ss/1038425655",
    "source_system": "",
    "inputs": "shape",
    "deterministic": True,
}

NUMBERS = ("width", "height", "spacing", "bits", "bytes_a_pixel")


def fit(shapes, targets, labelled, task):
    """Cubic splines of each number, standardised, one logistic regression a finding.

    A shape stands for a detector or a hospital, so that what it tells need not rise or fall with
    it. On real sets splines tell as much as gradient-boosted trees, without chance and threads.

    Raises:
        NotApplicable: all training files have the same shape.
    """
    numbers = _numbers_like(shapes)
    x = numbers(shapes)
    if not x.shape[1]:
        raise NotApplicable(
            "model geometry_only needs files of different shapes, and all training files have the "
            "same (or what differs is not known)."
        )
    logits = fit_logits(x, targets, labelled, task, _regression)
    return lambda shapes: logits(numbers(shapes))


def _regression():
    return make_pipeline(
        SplineTransformer(), StandardScaler(), LogisticRegression(solver="newton-cholesky")
    )


def _numbers_like(training):
    """A function of shapes: the numbers that differ among the training images, (N, C).

    What is not known of an image is taken to be the median: that it is not known tells of tables.
    """
    known = {name: v[~np.isnan(v)] for name, v in _numbers(training).items()}
    medians = {name: np.median(v) for name, v in known.items() if len(np.unique(v)) > 1}

    def numbers(shapes):
        every = _numbers(shapes)
        columns = [np.where(np.isnan(every[n]), m, every[n]) for n, m in medians.items()]
        return np.stack(columns, axis=1) if columns else np.empty((len(every["width"]), 0))

    return numbers


def _numbers(shapes):
    """On a scale of factors: twice as wide is as far from once as four times is from twice."""
    logs = {name: np.log(shapes[name]) for name in NUMBERS}
    return {**logs, "aspect": logs["width"] - logs["height"]}
