"""A few small images and targets, the same in every process."""

from __future__ import annotations

import numpy as np

from benchmark.task import Task

SIZE = 32
TASK = Task(("effusion", "mass", "nodule"), "multilabel")


def some_images() -> np.ndarray:
    """uint8 (4, SIZE, SIZE)."""
    return np.random.default_rng(1).integers(0, 256, (4, SIZE, SIZE), dtype=np.uint8)


def some_targets() -> np.ndarray:
    """float32 (4, 3), one entry not labelled."""
    return np.array([[1, 0, 1], [0, 1, 0], [1, -1, 0], [0, 0, 1]], np.float32)
