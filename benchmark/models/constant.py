"""The constant predictor: the floor that every other model must rise above."""

from __future__ import annotations

import numpy as np

CARD = {
    "title": "Constant predictor",
    "description": "Gives every image the training prevalence of each finding.",
    "reference": "Brier 1950, doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2",
    "source_system": "",
    "inputs": "metadata",
    "deterministic": True,
}


def fit(metadata, targets, labelled, task):
    """Log-odds of each finding's prevalence; for exclusive findings the log of their shares.

    A prevalence of 0 or 1 becomes that of half a case among one more image, which keeps the
    logits finite; a finding without a label gets 0.5.
    """
    counted = labelled.sum(axis=0)
    positive = np.where(labelled, targets, 0).sum(axis=0)
    share = positive / np.maximum(counted, 1)
    least = 1 / (2 * (counted + 1))
    share = np.clip(share, least, 1 - least)
    logits = np.log(share) if task.exclusive else np.log(share / (1 - share))

    def predict(metadata):
        return np.tile(logits.astype(np.float32), (len(metadata["age"]), 1))

    return predict
