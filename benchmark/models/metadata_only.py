"""Logistic regression on age, sex and view: what can be told without looking at the image."""

from __future__ import annotations

import numpy as np
from sklearn.linear_model import LogisticRegression

from benchmark.models import NotApplicable
from benchmark.models._regressions import fit_logits

CARD = {
    "title": "Metadata only (age, sex, view)",
    "description": "Logistic regression on age, sex and view; sees no pixel.",
    "reference": "Cox 1958, doi:10.1111/j.2517-6161.1958.tb00292.x",
    "source_system": "",
    "inputs": "metadata",
    "deterministic": True,
}

OLDEST = 120  # ages above are slips of the pen: ChestX-ray14 has some of over 400 years


def fit(metadata, targets, labelled, task):
    """One logistic regression a finding, or one over all findings where they are exclusive.

    Raises:
        NotApplicable: age, sex and view are unknown, or the same for every training image.
    """
    features = _features_like(metadata)
    x = features(metadata)
    if not (x != x[:1]).any():
        raise NotApplicable(
            "model metadata_only needs age, sex or view, and this data set's training images "
            "carry none of them (or the same for all)."
        )
    logits = fit_logits(x, targets, labelled, task, lambda: LogisticRegression(max_iter=1000))
    return lambda metadata: logits(features(metadata))


def _features_like(training):
    """A function of metadata: age (standardised), its absence, and a column a sex and view."""
    known_ages = training["age"][_age_known(training)]
    mean = known_ages.mean() if len(known_ages) else 0.0
    deviation = (known_ages.std() if len(known_ages) else 0.0) or 1.0
    views = [view for view in np.unique(training["view"]) if view]

    def features(metadata):
        known = _age_known(metadata)
        age = np.where(known, (metadata["age"] - mean) / deviation, 0.0)
        sexes = [metadata["sex"] == sex for sex in ("F", "M")]
        return np.stack([age, ~known, *sexes, *(metadata["view"] == v for v in views)], axis=1)

    return features


def _age_known(metadata):
    return (metadata["age"] >= 0) & (metadata["age"] <= OLDEST)
