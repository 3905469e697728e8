"""Warm start: a training begins with the weights that another spec saved."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import keras

from benchmark.task import Task
from benchmark.training.network import load_weights


def warm_start(
    model: keras.Model, path: Path, theirs: Task, create: Callable[[Task], keras.Model]
) -> None:
    """Load the weights of another row into a new model of the same file and input.

    The last layer, ``logits``, starts anew where the two tasks have different numbers of outputs.

    Args:
        path: the saved weights.
        theirs: the task they were trained for.
        create: gives a new model for a task.

    Raises:
        UserError: the weights do not fit the model, as after a change of its file.
    """
    alike = model.output_shape[-1] == theirs.n_outputs
    source = model if alike else create(theirs)
    load_weights(source, path)
    if alike:
        return
    for ours, other in zip(model.layers[-1].layers, source.layers[-1].layers, strict=True):
        if ours.name != "logits":
            ours.set_weights(other.get_weights())
