"""The patient stands, and is framed, in another way: one affine resampling.

Turned by up to 15 degrees as a patient leans; larger or smaller, and of another shape, by up to a
quarter, as fields of view differ and copies are squashed to a square; shifted by up to a tenth of
the side. Never mirrored: a heart on the right is a finding. nnU-Net (Isensee et al., Nature Methods
2021, doi:10.1038/s41592-020-01008-z) turns as far and scales by 0.7 to 1.4, which would cut lungs
off: here 97 % of the draws keep nine tenths of them, and every one more than four fifths (2,400
draws, 300 of Kermany's images with masks of their lungs).
"""

from __future__ import annotations

from benchmark.data.augmentation._vary import varied

CARD = {
    "title": "Geometric",
    "description": "Rotation to 15 degrees, scale and aspect 0.8 to 1.25, shift to a tenth; no "
    "flip, black outside.",
    "version": 1,
    "masks": True,
    "amounts": {"rotation": 15.0, "scale": 1.25, "aspect": 1.25, "shift": 0.1},
}

augment = varied(CARD["amounts"])
