"""Black on two sides, so that nothing is squashed."""

from __future__ import annotations

import numpy as np

CARD = {
    "title": "Padded to a square",
    "description": "Black on both sides of what is shorter, before the resize: the aspect ratio is "
    "kept, and where the image ends can be seen.",
    "version": 1,
    "idempotent": True,
    "keeps_geometry": False,
    "before_resize": True,
}


def apply(image: np.ndarray) -> np.ndarray:
    """Put an image (H, W) into the middle of a black square of its longer side."""
    height, width = image.shape
    side = max(height, width)
    top, left = (side - height) // 2, (side - width) // 2
    return np.pad(image, ((top, side - height - top), (left, side - width - left)))
