"""Which pairs of images could be copies of each other: perceptual hashes, searched in blocks.

Chest radiographs all look alike to a perceptual hash, and a crop by 5 % moves more of it than
another patient does. So each image is hashed 17 times: whole, and through the 16 windows that cut
nothing or 5 % off each side; of a copy and its original, one's whole nearly equals a window of the
other. A hash is the local contrast on a 16 x 16 grid, minus that of the typical image, on the 64
leading axes of the set, at unit length. Pairs whose hashes agree are compared again on a 24 x 24
grid, and each image keeps the :data:`KEPT` best partners.

Measured on 300 copies each of 14 kinds of 1,000 NIH and 1,000 Kermany images (JPEG 50, scaled to
25 %, cropped by up to 5 % a side, brightness x0.8, x1.2, -20 % and +20 % of the range, and
combinations): hash agreement with the original at least 0.77, where 0.7 % of all other pairs exceed
:data:`AGREEMENT`; agreement on the second grid at least 0.79, where 0.1 % of them exceed
:data:`SECOND_AGREEMENT`.

All pairs are looked at, in products of matrices: 2 * 16 * 64 operations a pair, 2.6e13 for 112,000
images.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import numpy as np

from benchmark.data.audit.texture import COARSE, local_contrast, unit, window

WINDOWS = np.array(list(product((0.0, 0.05), repeat=4)), np.float32)
AGREEMENT = 0.72
SECOND_AGREEMENT = 0.70
KEPT = 4
_PARTNERS = 200  # of each image that are compared on the second grid, on average, in a large set
_CELLS, _SECOND_CELLS, _AXES = 16, 24, 64
_ROWS, _COLUMNS = 128, 1024  # of a block; its products fit into a processor's cache
_MOST_PAIRS = 2_000_000  # held before all but the best of them are dropped


@dataclass(frozen=True)
class Candidates:
    """Pairs: ``whole`` (P,) looks like ``cut`` (P,) after ``cuts`` (P, 4); image numbers."""

    whole: np.ndarray
    cut: np.ndarray
    cuts: np.ndarray


class _Hasher:
    """Makes hashes of textures relative to what is typical of the set."""

    def __init__(self, images: np.ndarray):
        sample = images[np.unique(np.linspace(0, len(images) - 1, 4096).astype(int))]
        texture = local_contrast(sample, COARSE)
        self._typical = [self._mean(texture, cells) for cells in (_CELLS, _SECOND_CELLS)]
        seen = unit(window(texture, _CELLS, WINDOWS[0])) - self._typical[0]
        self._axes = np.linalg.svd(seen, full_matrices=False)[2][:_AXES].T

    @staticmethod
    def _mean(texture: np.ndarray, cells: int) -> np.ndarray:
        # In a handful of images the mean holds too much of each: the typical image is unknown.
        return unit(window(texture, cells, WINDOWS[0])).mean(0) * (len(texture) >= _AXES)

    def first(self, texture: np.ndarray, cuts: np.ndarray) -> np.ndarray:
        projected = (unit(window(texture, _CELLS, cuts)) - self._typical[0]) @ self._axes
        length = np.linalg.norm(projected, axis=1, keepdims=True)
        seen = texture.any((1, 2))[:, None]  # blank images resemble nothing
        return np.where(seen, projected / np.maximum(length, 1e-6), 0).astype(np.float32)

    def second(self, texture: np.ndarray, cuts: np.ndarray) -> np.ndarray:
        return unit(unit(window(texture, _SECOND_CELLS, cuts)) - self._typical[1])


def find_candidates(
    images: np.ndarray, progress: Callable[[int, int], None] | None = None
) -> Candidates:
    """Pairs that could be copies, at most :data:`KEPT` for each image.

    Args:
        images: uint8 (N, 64, 64).
        progress: called as ``progress(images done, images in all)``.
    """
    if len(images) < 2:
        return Candidates(np.empty(0, int), np.empty(0, int), np.empty((0, 4), np.float32))
    hasher = _Hasher(images)
    first, second = _hashes(hasher, images)
    threshold = _threshold(first)
    found = [np.empty((0, 4))]  # whole, cut, window, agreement
    for start in range(0, len(images), _ROWS):
        texture = local_contrast(images[start : start + _ROWS], COARSE)
        firsts = np.stack([hasher.first(texture, cut) for cut in WINDOWS])
        seconds = np.stack([hasher.second(texture, cut) for cut in WINDOWS])
        for column in range(0, len(images), _COLUMNS):
            part = slice(column, column + _COLUMNS)
            pairs = _block(firsts, seconds, first[part], second[part], threshold)
            pairs[:, :2] += column, start
            found.append(pairs[pairs[:, 0] != pairs[:, 1]])
        if sum(map(len, found)) > _MOST_PAIRS:
            found = [_keep_best(np.concatenate(found))]
        if progress:
            progress(min(start + _ROWS, len(images)), len(images))
    best = _keep_best(np.concatenate(found))
    whole, cut, which = best[:, :3].astype(int).T
    return Candidates(whole, cut, WINDOWS[which])


def _hashes(hasher: _Hasher, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both hashes of every whole image: (N, axes) float32 and (N, 576) float16."""
    firsts, seconds = [], []
    for start in range(0, len(images), _ROWS):
        texture = local_contrast(images[start : start + _ROWS], COARSE)
        firsts.append(hasher.first(texture, WINDOWS[0]))
        seconds.append(hasher.second(texture, WINDOWS[0]).astype(np.float16))
    return np.concatenate(firsts), np.concatenate(seconds)


def _threshold(hashes: np.ndarray) -> float:
    """:data:`AGREEMENT`, or more where a large set would give too many pairs."""
    sample = hashes[np.unique(np.linspace(0, len(hashes) - 1, 1000).astype(int))]
    agreement = (sample @ sample.T)[np.triu_indices(len(sample), 1)]
    if not len(agreement) or len(hashes) <= _PARTNERS:
        return AGREEMENT
    return max(AGREEMENT, float(np.quantile(agreement, 1 - _PARTNERS / len(hashes))))


def _block(firsts, seconds, first, second, threshold: float) -> np.ndarray:
    """Pairs of a block, (P, 4): whole, cut, window, agreement on the second grid."""
    windows, rows, axes = firsts.shape
    agreement = (firsts.reshape(-1, axes) @ first.T).reshape(windows, rows, -1)
    cut, whole = np.nonzero(agreement.max(0) >= threshold)
    which = agreement[:, cut, whole].argmax(0)
    again = np.einsum("pd,pd->p", seconds[which, cut], second[whole].astype(np.float32))
    pairs = np.stack([whole, cut, which, again], 1).astype(np.float64)
    return pairs[again >= SECOND_AGREEMENT]


def _keep_best(pairs: np.ndarray) -> np.ndarray:
    """The :data:`KEPT` best partners of each whole image."""
    pairs = pairs[np.lexsort((pairs[:, 1], -pairs[:, 3], pairs[:, 0]))]
    _, begins, counts = np.unique(pairs[:, 0], return_index=True, return_counts=True)
    rank = np.arange(len(pairs)) - np.repeat(begins, counts)
    return pairs[rank < KEPT]
