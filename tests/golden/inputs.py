"""Small fixed inputs, the same on every machine."""

from __future__ import annotations

import numpy as np

from benchmark.task import Task

TASKS = {
    "binary": Task(("mass",), "binary"),
    "multilabel": Task(("effusion", "mass", "nodule"), "multilabel"),
    "multiclass": Task(("normal", "bacteria", "virus"), "multiclass"),
}
SPLITS = ("train", "validation", "test")


def noise(*shape: int) -> np.ndarray:
    """float32 in [0, 1)."""
    return np.random.default_rng(0).uniform(size=shape).astype(np.float32)


def chest(side: int = 40) -> np.ndarray:
    """uint8 (S, S): two dark fields in a bright body, brightest at the lower edge, some noise."""
    y, x = np.mgrid[:side, :side] / (side - 1)
    image = 170 + 60 * (y > 0.85) - 40 * np.abs(x - 0.5)
    image -= 110 * np.exp(-(((x - 0.28) / 0.14) ** 2) - ((y - 0.45) / 0.3) ** 2)
    image -= 90 * np.exp(-(((x - 0.72) / 0.13) ** 2) - ((y - 0.48) / 0.28) ** 2)
    image += np.random.default_rng(1).integers(-9, 10, (side, side))
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)


def lungs(side: int = 40) -> np.ndarray:
    """The dark fields of :func:`chest`, roughly, bool (S, S)."""
    y, x = np.mgrid[:side, :side] / (side - 1)
    left = ((x - 0.28) / 0.16) ** 2 + ((y - 0.45) / 0.32) ** 2 < 1
    return left | (((x - 0.72) / 0.15) ** 2 + ((y - 0.48) / 0.3) ** 2 < 1)


def targets(kind: str, n: int = 24) -> np.ndarray:
    """float32 (n, F): rarer findings later, -1 here and there where one is not labelled."""
    draw = np.random.default_rng(2)
    if kind == "multiclass":
        values = np.eye(3, dtype=np.float32)[draw.choice(3, n, p=(0.6, 0.3, 0.1))]
        values[5] = -1
        return values
    wide = TASKS[kind].n_outputs
    values = (draw.uniform(size=(n, wide)) < np.linspace(0.35, 0.2, wide)).astype(np.float32)
    values[draw.uniform(size=values.shape) < 0.1] = -1
    return values
