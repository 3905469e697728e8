"""Lungs only: what is outside them is black."""

from __future__ import annotations

import numpy as np

CARD = {
    "title": "Lungs only",
    "description": "What a segmentation network does not take for lung is black.",
    "version": 1,
    "idempotent": True,
    "needs": "lungs",
}


def apply(image: np.ndarray, lungs: np.ndarray) -> np.ndarray:
    """Black out an image, uint8 (S, S), outside its lungs, bool (S, S)."""
    return np.where(lungs, image, np.uint8(0))
