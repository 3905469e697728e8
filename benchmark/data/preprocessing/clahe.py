"""Contrast-limited adaptive histogram equalisation (CLAHE)."""

from __future__ import annotations

import numpy as np

CARD = {
    "title": "CLAHE",
    "description": "Equalisation in an 8 x 8 grid of tiles with limited contrast, tiles blended.",
    "version": 1,
    "idempotent": False,
}

TILES = 8
"""Tiles along each side."""

CLIP_LIMIT = 2.0
"""Most pixels a grey value may count for, in multiples of the mean count of a tile's histogram."""


def apply(image: np.ndarray) -> np.ndarray:
    """Equalise an image, uint8 (S, S), tile by tile (Zuiderveld, Graphics Gems IV, 1994).

    Each tile gives one curve from its clipped histogram; a pixel takes the bilinear mean of the
    curves of the four nearest tile centres. A side that the tiles do not divide is extended by
    reflection for the histograms only. An image whose values are all equal stays as it is.
    """
    if image.min() == image.max():
        return image.copy()
    side = -(-image.shape[0] // TILES)
    curves = _tile_curves(_extended(image, side * TILES), side)
    low, high, weight = _neighbours(image.shape[0], side)
    rows = (low[:, None], high[:, None], weight[:, None])
    columns = (low[None, :], high[None, :], weight[None, :])
    upper = _blend(
        curves[rows[0], columns[0], image], curves[rows[0], columns[1], image], columns[2]
    )
    lower = _blend(
        curves[rows[1], columns[0], image], curves[rows[1], columns[1], image], columns[2]
    )
    return np.rint(_blend(upper, lower, rows[2])).astype(np.uint8)


def _extended(image: np.ndarray, size: int) -> np.ndarray:
    missing = size - image.shape[0]
    return np.pad(image, ((0, missing), (0, missing)), mode="symmetric")


def _tile_curves(image: np.ndarray, side: int) -> np.ndarray:
    """Grey value curves, float64 (TILES, TILES, 256) in [0, 255]."""
    tiles = image.reshape(TILES, side, TILES, side).swapaxes(1, 2).reshape(TILES * TILES, side**2)
    offsets = 256 * np.arange(TILES * TILES)[:, None]
    counts = np.bincount((tiles + offsets).ravel(), minlength=256 * TILES * TILES)
    counts = counts.reshape(TILES, TILES, 256).astype(float)
    limit = max(1.0, CLIP_LIMIT * side**2 / 256)
    clipped = np.minimum(counts, limit)
    clipped += (side**2 - clipped.sum(-1, keepdims=True)) / 256
    return np.cumsum(clipped, -1) * (255 / side**2)


def _neighbours(size: int, side: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For every pixel along a side: the two tiles around it, the weight of the second."""
    position = (np.arange(size) + 0.5) / side - 0.5
    low = np.floor(position).astype(int)
    return np.clip(low, 0, TILES - 1), np.clip(low + 1, 0, TILES - 1), position - low


def _blend(first: np.ndarray, second: np.ndarray, weight: np.ndarray) -> np.ndarray:
    return first + (second - first) * weight
