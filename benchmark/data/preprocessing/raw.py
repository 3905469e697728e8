"""Pixels as stored."""

from __future__ import annotations

import numpy as np

CARD = {
    "title": "As stored",
    "description": "Pixels as decoded and resized, nothing else.",
    "version": 1,
    "idempotent": True,
}


def apply(image: np.ndarray) -> np.ndarray:
    """Return the image, uint8 (S, S), unchanged."""
    return image
