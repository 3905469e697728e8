"""Logistic regression on the features of a frozen backbone."""

from __future__ import annotations

from benchmark.training.fitted import probe as train

CARD = {
    "title": "Linear probe",
    "description": "The backbone stays as it begins; the head is logistic regression (scikit-learn)"
    " on its standardised features, of several L2 penalties the one with the best AUC on"
    " validation.",
    "begins_from": ["backbone", "nothing"],
    "usual": "imagenet",
    "features_only": True,
    "by_gradient": False,
    "version": 1,
}

__all__ = ["CARD", "train"]
