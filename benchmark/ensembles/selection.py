"""Choices that an ensemble makes. All of them see the validation split and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import numpy as np

from benchmark.records.predictions import Predictions
from benchmark.scoring.macro import macro_auc
from benchmark.scoring.multiclass import confusion_matrix
from benchmark.scoring.thresholds import argmax_decisions


def best_members(predictions: Mapping[str, Predictions], k: int) -> list[str]:
    """The ``k`` members with the highest macro AUC on validation, best first, ties by name.

    Args:
        predictions: of each member, by name; only the validation split is read.
    """
    auc = {name: validation_auc(predictions[name]) for name in sorted(predictions)}
    return sorted(auc, key=lambda name: -auc[name])[:k]


def validation_auc(predictions: Predictions) -> float:
    """Exact macro AUC on validation, as early stopping measures it; -1 where it is undefined."""
    part = predictions.part("validation")
    exclusive = part.kind == "multiclass"
    value = macro_auc(part.targets, part.probabilities if exclusive else part.logits)
    return -1.0 if value is None else value


def most_confused(predictions: Predictions, k: int) -> tuple[list[int], int]:
    """The ``k`` exclusive findings that are taken for each other most often on validation.

    Args:
        predictions: only the validation split is read; unlabelled images are left out.

    Returns:
        Positions of the findings, ascending, and the number of validation images that have one of
        them and were taken for another of them. Of several such sets the first in order.
    """
    part = predictions.part("validation")
    known = ~np.isnan(part.targets).any(axis=1)
    matrix = confusion_matrix(part.targets[known], argmax_decisions(part.probabilities[known]))
    np.fill_diagonal(matrix, 0)
    images = {
        group: int(matrix[np.ix_(group, group)].sum())
        for group in combinations(range(len(matrix)), k)
    }
    group = max(images, key=images.__getitem__)
    return list(group), images[group]
