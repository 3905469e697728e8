"""The central square, so that nothing is squashed."""

from __future__ import annotations

import numpy as np

CARD = {
    "title": "Central square",
    "description": "What is outside the central square is cut off, before the resize: neither the "
    "shape nor the edge of the image can be seen.",
    "version": 1,
    "idempotent": True,
    "keeps_geometry": False,
    "before_resize": True,
}


def apply(image: np.ndarray) -> np.ndarray:
    """The central square of an image (H, W), of its shorter side.

    As in MedMNIST (Yang et al. 2023, doi:10.1038/s41597-022-01721-8), which resizes it bicubically.
    """
    side = min(image.shape)
    top, left = ((length - side) // 2 for length in image.shape)
    return image[top : top + side, left : left + side]
