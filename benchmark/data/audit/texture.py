"""Images reduced to local contrast, and windows of them sampled on a small grid.

Everything works on views of :data:`SIZE` px, the size at which a copy scaled to a quarter of 224 px
still has its detail. Local contrast (a band of spatial frequencies, divided by its local standard
deviation) does not change with brightness. A *cut* is what a crop removes: the shares of the width
and height taken off on the left, top, right and bottom, (P, 4) float32; negative cuts reach beyond
the image. Sampling is separable and Gaussian, so it is a product of three small matrices and has
a derivative with respect to the cut, which registration follows.
"""

from __future__ import annotations

import numpy as np

SIZE = 64
COARSE = (0.7, 5.0)
FINE = (0.5, 1.5)
"""Bands of spatial frequencies: standard deviations, in pixels, of the inner and outer Gaussian."""

_FLOOR = 2.0  # grey levels; keeps the noise of flat areas from being blown up to full contrast
_CELL = 0.6  # standard deviation of a sample's Gaussian, in cells


def local_contrast(images: np.ndarray, band: tuple[float, float]) -> np.ndarray:
    """Band-passed images over their local standard deviation.

    Args:
        images: uint8 (N, SIZE, SIZE).
        band: :data:`COARSE` (what is where) or :data:`FINE` (texture, which differs between
            patients more than anatomy does).

    Returns:
        float32 (N, SIZE, SIZE); zero where an image is flat.
    """
    from scipy.ndimage import gaussian_filter

    inner, outer = ((0.0, sigma, sigma) for sigma in band)
    smooth = gaussian_filter(images.astype(np.float32), inner)
    detail = smooth - gaussian_filter(smooth, outer)
    return detail / (np.sqrt(gaussian_filter(detail * detail, outer)) + _FLOOR)


def sampling(cells: int, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Matrices (P, cells, SIZE) that sample ``cells`` places between two cuts of one axis."""
    pixels = ((np.arange(SIZE) + 0.5) / SIZE).astype(np.float32)
    span = (1 - low - high)[:, None].astype(np.float32)
    places = low[:, None] + span * ((np.arange(cells, dtype=np.float32) + 0.5) / cells)
    weights = np.exp(-0.5 * ((pixels - places[..., None]) / (span[..., None] / cells * _CELL)) ** 2)
    return weights / weights.sum(-1, keepdims=True)


def window(texture: np.ndarray, cells: int, cuts: np.ndarray) -> np.ndarray:
    """What is left of each image after its cut, (P, cells, cells); cuts (4,) or (P, 4)."""
    left, top, right, bottom = np.atleast_2d(np.asarray(cuts, np.float32)).T
    across = sampling(cells, left, right).transpose(0, 2, 1)
    return sampling(cells, top, bottom) @ texture @ across


def unit(vectors: np.ndarray) -> np.ndarray:
    """Each of (P, ...) as a flat one of mean 0 and length 1, float32 (P, D); zeros if constant."""
    flat = vectors.reshape(len(vectors), -1)
    flat = flat - flat.mean(1, keepdims=True)
    length = np.linalg.norm(flat, axis=1, keepdims=True)
    return np.where(length > 1e-4, flat / np.maximum(length, 1e-4), 0).astype(np.float32)
