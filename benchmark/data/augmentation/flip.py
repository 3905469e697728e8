"""Left-right mirror images."""

from __future__ import annotations

from benchmark.data.augmentation._vary import varied

CARD = {
    "title": "Flip",
    "description": "Every other image, by chance, mirrored left-right.",
    "version": 1,
    "masks": True,
    "amounts": {"flip": 0.5},
}

augment = varied(CARD["amounts"])
