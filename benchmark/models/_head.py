"""The last layer, the same for every model."""

from __future__ import annotations

import keras

from benchmark.task import Task


def logits(features, task: Task, kernel_regularizer: keras.regularizers.Regularizer | None = None):
    """Logits (B, F) in float32 from features (B, D), whatever the precision policy."""
    return keras.layers.Dense(
        task.n_outputs, dtype="float32", kernel_regularizer=kernel_regularizer, name="logits"
    )(features)
