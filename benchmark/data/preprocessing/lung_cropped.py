"""The part of the image that the lungs fill, enlarged."""

from __future__ import annotations

import numpy as np
from PIL import Image

CARD = {
    "title": "Cropped to the lungs",
    "description": "The box around both lungs with a margin, stretched to the whole image.",
    "version": 1,
    "idempotent": False,
    "needs": "lungs",
    "keeps_geometry": False,
}

MARGIN = 0.05
"""What is left around the lungs on every side, as a fraction of the image's side."""


def apply(image: np.ndarray, lungs: np.ndarray) -> np.ndarray:
    """Cut an image, uint8 (S, S), to its lungs, bool (S, S), and resize it bilinearly to (S, S).

    The box is not kept square, as a view does not keep the shape of a radiograph either.
    """
    size = len(image)
    margin = round(MARGIN * size)
    (top, bottom), (left, right) = (_extent(np.any(lungs, axis=axis), margin) for axis in (1, 0))
    part = Image.fromarray(image[top:bottom, left:right])
    return np.asarray(part.resize((size, size), Image.Resampling.BILINEAR))


def _extent(present: np.ndarray, margin: int) -> tuple[int, int]:
    """First position and the one after the last, widened by the margin within the image."""
    positions = np.flatnonzero(present)
    return max(0, positions[0] - margin), min(len(present), positions[-1] + 1 + margin)
