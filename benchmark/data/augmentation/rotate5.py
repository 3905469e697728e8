"""Slight rotations, as in source system S3."""

from __future__ import annotations

from benchmark.data.augmentation._vary import varied

CARD = {
    "title": "Rotation by 5 degrees",
    "description": "Turned by up to five degrees either way.",
    "version": 1,
    "masks": True,
    "amounts": {"rotation": 5.0},
}

augment = varied(CARD["amounts"])
