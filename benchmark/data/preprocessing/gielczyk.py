"""Diaphragm masked, histogram equalised, blurred: the chain of Gielczyk et al. 2022."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

CARD = {
    "title": "Gielczyk's chain",
    "description": "Diaphragm masked by an adaptive threshold, histogram equalised, slight blur.",
    "version": 1,
    "idempotent": False,
}

THRESHOLD = 0.9
"""Of the way from the darkest to the brightest value: what is brighter may be diaphragm."""

# The threshold alone, taken over the whole image, finds the spine, ribs and burnt-in letters where
# they are the brightest thing, and nothing in a dim image with one bright letter. These keep it to
# what a diaphragm is: bright among the lowest rows, wide, and reaching the lower edge.
LOWEST = 1 / 3
"""Share of the rows that are looked at."""
BRIGHTEST = 85
"""Percentile of their values that stands for the brightest one."""
WIDTH = 0.3
"""Least width of what is masked, as a share of the side; a spine is narrower."""
SMOOTH = 0.02
"""Deviation of the blur before the threshold, as a share of the side: no ribs, no noise."""

BLUR = {"sigma": 1.1, "radius": 2, "mode": "mirror"}
"""A Gaussian of 5 x 5 pixels; 1.1 is the deviation that OpenCV gives to that size."""


def apply(image: np.ndarray) -> np.ndarray:
    """Mask, equalise and blur an image, uint8 (S, S) (doi:10.1371/journal.pone.0265949).

    The diaphragm becomes black, and only the rest counts for the equalisation. Where none is found
    nothing is masked. An image whose values are all equal stays as it is.
    """
    if image.min() == image.max():
        return image.copy()
    shown = ~diaphragm(image)
    below = np.cumsum(np.bincount(image[shown], minlength=256))
    equalised = np.where(shown, (255 * below / below[-1])[image], 0.0)
    return np.rint(ndimage.gaussian_filter(equalised, **BLUR)).astype(np.uint8)


def diaphragm(image: np.ndarray) -> np.ndarray:
    """Where the diaphragm and what lies under it is taken to be, bool (S, S)."""
    side = len(image)
    top = side - round(LOWEST * side)
    smooth = ndimage.gaussian_filter(image.astype(float), SMOOTH * side)[top:]
    darkest, brightest = smooth.min(), np.percentile(smooth, BRIGHTEST)
    bright = smooth > darkest + THRESHOLD * (brightest - darkest)
    width = round(WIDTH * side)
    padded = np.pad(bright, ((0, 0), (width, width)), mode="edge")
    wide = ndimage.binary_opening(padded, np.ones((1, width)))[:, width:-width]
    objects, _ = ndimage.label(wide)
    mask = np.zeros(image.shape, bool)
    mask[top:] = np.isin(objects, objects[-1][objects[-1] > 0])
    return mask
