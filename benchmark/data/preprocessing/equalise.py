"""Global histogram equalisation."""

from __future__ import annotations

import numpy as np

CARD = {
    "title": "Histogram equalisation",
    "description": "Grey values replaced by their rank, so that all are about equally frequent.",
    "version": 1,
    "idempotent": False,
}


def apply(image: np.ndarray) -> np.ndarray:
    """Spread the grey values of an image, uint8 (S, S), over 0..255 by their cumulative frequency.

    The lowest value present becomes 0, the highest 255, and a value v in between
    255 * (pixels <= v - pixels at the lowest) / (all pixels - pixels at the lowest), rounded
    (Gonzalez and Woods, Digital Image Processing, section 3.3). A constant image stays as it is.
    """
    below = np.cumsum(np.bincount(image.ravel(), minlength=256))
    lowest = below[image.min()]
    if lowest == image.size:
        return image.copy()
    rank = np.maximum(below - lowest, 0) / (image.size - lowest)
    return np.rint(255 * rank).astype(np.uint8)[image]
