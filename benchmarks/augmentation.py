"""Speed of the augmentation policies of one resampling, beside ``none`` and ``standard``."""

from __future__ import annotations

from functools import partial

import numpy as np

from benchmarks.input_speed import SIZE, draw
from benchmarks.measure import Measure, alternating

GOAL = 1_500
"""Images a second on two cores."""


def measure(wanted: int, pairs: int) -> list[Measure]:
    """Everything in this file.

    Args:
        wanted: images drawn for a measurement.
        pairs: measurements of each pair.
    """
    images = np.random.default_rng(0).integers(0, 256, (1_024, SIZE, SIZE), np.uint8)
    return [
        line
        for policy in ("geometric", "photometric", "strong")
        for line in _beside(images, policy, wanted, pairs)
    ]


def _beside(images: np.ndarray, policy: str, wanted: int, pairs: int) -> list[Measure]:
    measures = []
    for other in ("none", "standard"):
        draw(images, policy, wanted)  # TensorFlow warms up
        found = alternating(
            partial(draw, images, policy, wanted), partial(draw, images, other, wanted), pairs
        )
        rate = wanted / found.ours
        what = f"epochs of {len(images):,} images at {SIZE} px, augmentation {policy}"
        ratios = {"ratio": 1 / found.ratio, "cpu": 1 / found.cpu}
        beside = {"theirs": wanted / found.theirs, "beside": other}
        aim = {"goal": f">= {GOAL:,} images/s", "reached": rate >= GOAL}
        measures.append(Measure(what, rate, "images/s", **ratios, **beside, **aim))
    return measures
