"""Logistic regression on age, sex and view: what can be told without looking at the image."""

from __future__ import annotations

import numpy as np
from sklearn.linear_model import LogisticRegression

from benchmark.models import NotApplicable

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
    if task.exclusive:
        outputs = [_share_logits(x, targets, labelled)]
    else:
        outputs = [
            _finding_logit(x, t, known) for t, known in zip(targets.T, labelled.T, strict=True)
        ]

    def predict(metadata):
        x = features(metadata)
        return np.concatenate([output(x) for output in outputs], axis=1).astype(np.float32)

    return predict


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


def _finding_logit(x, target, known):
    """Log-odds of one finding; a finding without both answers gets smoothed prevalence."""
    target, x = target[known].astype(int), x[known]
    if len(np.unique(target)) < 2:
        odds = (target.sum() + 0.5) / (len(target) - target.sum() + 0.5)
        return lambda x: np.full((len(x), 1), np.log(odds))
    model = LogisticRegression(max_iter=1000).fit(x, target)
    return lambda x: model.decision_function(x)[:, None]


def _share_logits(x, targets, labelled):
    """Log of each exclusive finding's probability; one never seen gets that of half a case."""
    known = labelled.all(axis=1)
    target = targets[known].argmax(axis=1)
    seen = np.unique(target)
    unseen = -np.log(2 * (len(target) + 1))
    model = LogisticRegression(max_iter=1000).fit(x[known], target) if len(seen) > 1 else None

    def output(x):
        logits = np.full((len(x), targets.shape[1]), unseen)
        logits[:, seen] = model.predict_log_proba(x) if model else 0.0
        return logits

    return output
