"""Slight movements and changes of shade."""

from __future__ import annotations

from benchmark.data.augmentation._vary import varied

CARD = {
    "title": "Standard",
    "description": "Flip, rotation to 10 degrees, slight shift, zoom, brightness and contrast.",
    "version": 1,
    "masks": True,
    "amounts": {
        "flip": 0.5,
        "rotation": 10.0,
        "shift": 0.05,
        "zoom": 0.1,
        "brightness": 0.1,
        "contrast": 0.1,
    },
}

augment = varied(CARD["amounts"])
