"""Images as they are."""

from __future__ import annotations

from benchmark.data.augmentation._vary import varied

CARD = {
    "title": "None",
    "description": "Images as they are.",
    "version": 1,
    "masks": True,
    "amounts": {},
}

augment = varied(CARD["amounts"])
