"""Several networks' features side by side, under one head.

Features of an image are what a network's layer ``logits`` gets, (B, D): the members stay as they
were trained, the head alone learns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import keras
import numpy as np

from benchmark.task import Task
from benchmark.training.network import up_to
from benchmark.training.standardise import mean_and_scale


def penultimate(model: keras.Model) -> keras.Model:
    """Images (B, S, S, 1) to features (B, D), of a model that ``benchmark.models.create`` made."""
    return up_to(model, model.layers[-1].get_layer("logits").input)


def join(members: Sequence[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Features of all members by split, float32 (N, sum of D).

    Each feature has zero mean and unit deviation on the training images, so that no network is
    heard less because its numbers are smaller.

    Args:
        members: by split (N, D), ``train`` among them.
    """
    together = {
        split: np.concatenate([np.float32(features[split]) for features in members], axis=1)
        for split in members[0]
    }
    mean, scale = mean_and_scale(together["train"])
    return {split: ((x - mean) / scale).astype(np.float32) for split, x in together.items()}


def head(width: int, task: Task) -> keras.Model:
    """One dense layer, features (B, width) to float32 logits (B, F).

    Its weights begin at zero, as a logistic regression's: there is no symmetry to break.
    """
    features = keras.Input((width,))
    dense = keras.layers.Dense(
        task.n_outputs, kernel_initializer="zeros", dtype="float32", name="logits"
    )
    return keras.Model(features, dense(features))
