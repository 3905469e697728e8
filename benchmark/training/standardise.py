"""Features brought to one scale, that of the training images. Imports no framework."""

from __future__ import annotations

import numpy as np

SMALLEST_DEVIATION = 1e-6
"""Features that hardly vary on the training images, such as those of dead units, stay near zero."""


def mean_and_scale(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each feature, float64 (D,) each; the latter never near 0.

    Args:
        features: of the training images, (N, D).
    """
    mean = features.mean(axis=0, dtype=np.float64)
    deviation = features.std(axis=0, dtype=np.float64)
    return mean, np.where(deviation > SMALLEST_DEVIATION, deviation, 1.0)
