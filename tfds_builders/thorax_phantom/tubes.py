"""Thin curved structures (ribs, vessels, bronchi, wires) as tubes, rendered by one convolution.

The chord of a ray through a straight tube of radius r at distance d from its axis is
2 sqrt(r^2 - d^2) / sin(angle to the beam). The same number is the length of the axis whose
projection lies within r of the ray, so a picture of axis lengths convolved with a disc of radius r
gives the exact line integral, for any angle. The disc's transform is known (2 pi r J1(kr) / k),
hence the edges are band-limited: no staircase at small sizes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import fft
from scipy.special import j1

STEP = 0.12  # cm between the points of an axis
THIN = 0.5  # pixels; a thinner tube is drawn this wide, with the same integral across it


@dataclass(frozen=True)
class Tube:
    """Sampled axes of one radius: points (N, 3) cm, axis length a point (N,) cm, radius cm.

    `length` may carry a factor: below 1 for flattened cross-sections, negative to take away.
    """

    points: np.ndarray
    length: np.ndarray
    radius: float

    def scaled(self, factor: float | np.ndarray) -> Tube:
        """The same tube with its line integral multiplied by `factor`."""
        return Tube(self.points, self.length * factor, self.radius)


def along(curve: np.ndarray, radius: float, step: float = STEP) -> Tube:
    """Tube along a polyline (K, 3), resampled to points about `step` cm apart."""
    return segments(curve[:-1], curve[1:], radius, step)


def segments(
    start: np.ndarray,
    end: np.ndarray,
    radius: float,
    step: float = STEP,
    factor: np.ndarray | float = 1.0,
) -> Tube:
    """Straight pieces from `start` (K, 3) to `end` (K, 3) as one tube set.

    `factor` multiplies the line integral, one value or one a piece (K,).
    """
    length = np.linalg.norm(end - start, axis=1)
    pieces = np.maximum(np.ceil(length / step).astype(int), 1)
    index = np.repeat(np.arange(len(pieces)), pieces)
    first = np.repeat(np.cumsum(pieces) - pieces, pieces)
    t = ((np.arange(len(index)) - first + 0.5) / pieces[index])[:, None]
    points = start[index] * (1 - t) + end[index] * t
    return Tube(points, (length / pieces * factor)[index], radius)


def join(tubes: list[Tube]) -> Tube:
    """Tubes of one radius as one."""
    return Tube(
        np.concatenate([t.points for t in tubes]),
        np.concatenate([t.length for t in tubes]),
        tubes[0].radius,
    )


def render(
    tubes: list[tuple[np.ndarray, np.ndarray, np.ndarray, float]], size: int, pixel: float
) -> np.ndarray:
    """Line integrals (size, size) of projected tubes.

    Each entry is (column, row, weight, radius): positions in pixels, weights in cm (times any
    attenuation), radius in cm on the detector. `pixel` is the detector's pixel in cm.
    """
    margin = int(np.ceil(max(r for *_, r in tubes) / pixel)) + 2
    padded = fft.next_fast_len(size + 2 * margin, real=True)
    groups: dict[float, np.ndarray | float] = {}
    for column, row, weight, radius in tubes:
        kept = max(round(radius / 0.02) * 0.02, THIN * pixel)
        weight = weight * (radius / kept) ** 2
        grid = _splat(column + margin, row + margin, weight, padded)
        groups[kept] = groups.get(kept, 0.0) + grid
    total = sum(fft.rfft2(g) * _disc(r, padded, pixel) for r, g in groups.items())
    image = fft.irfft2(total, s=(padded, padded))
    return image[margin : margin + size, margin : margin + size]


def _splat(column: np.ndarray, row: np.ndarray, weight: np.ndarray, size: int) -> np.ndarray:
    left, top = np.floor(column).astype(int), np.floor(row).astype(int)
    keep = (left >= 0) & (top >= 0) & (left < size - 1) & (top < size - 1)
    left, top, weight = left[keep], top[keep], weight[keep]
    right, down = column[keep] - left, row[keep] - top
    cell = top * size + left
    grid = np.zeros(size * size)
    for shift, part in (
        (0, (1 - right) * (1 - down)),
        (1, right * (1 - down)),
        (size, (1 - right) * down),
        (size + 1, right * down),
    ):
        grid += np.bincount(cell + shift, weight * part, minlength=size * size)
    return grid.reshape(size, size).astype(np.float32)


@lru_cache(maxsize=64)
def _disc(radius: float, size: int, pixel: float) -> np.ndarray:
    """Transform of a disc, slightly softened so that it does not ring."""
    vertical = 2 * np.pi * fft.fftfreq(size, pixel)[:, None]
    k = np.maximum(np.hypot(vertical, 2 * np.pi * fft.rfftfreq(size, pixel)), 1e-9)
    disc = 2 * np.pi * radius * j1(k * radius) / k / pixel**2
    return (disc * np.exp(-0.5 * (0.45 * pixel * k) ** 2)).astype(np.float32)
