"""Convex solids and the interval a parallel ray spends inside them.

Patient coordinates, in cm: x to the patient's left (right in a frontal image), y downwards from
the lung apices, z towards the front. A ray runs along z (frontal) or x (lateral). An interval is a
pair of arrays (near, far); a ray that misses has near = +inf, far = -inf.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.interpolate import PchipInterpolator

Interval = tuple[np.ndarray, np.ndarray]
X, Y, Z = 0, 1, 2


@lru_cache(maxsize=256)
def _table(knots: tuple[tuple[float, float], ...]) -> tuple[np.ndarray, np.ndarray]:
    levels, values = np.array(knots, float).T
    fine = np.linspace(levels[0], levels[-1], 400)
    return fine, PchipInterpolator(levels, values)(fine)


def profile(level: np.ndarray, *knots: tuple[float, float]) -> np.ndarray:
    """Smooth monotone curve through (level, value) knots, constant beyond the ends."""
    return np.interp(level, *_table(knots)).astype(np.asarray(level).dtype)


@dataclass(frozen=True)
class Ellipsoid:
    """Ellipsoid by centre and semi-axes (cm); the rows of `axes` (3, 3) are their directions."""

    centre: tuple[float, float, float] | np.ndarray
    radii: tuple[float, float, float] | np.ndarray
    axes: np.ndarray | None = None

    def interval(self, across: np.ndarray, level: np.ndarray, beam: int) -> Interval:
        """Entry and exit of rays at (`across`, `level`) that run along axis `beam`."""
        axes = np.eye(3) if self.axes is None else self.axes
        form = ((axes.T / np.square(self.radii)) @ axes).tolist()
        other = Z if beam == X else X
        p, q = across - self.centre[other], level - self.centre[Y]
        a = form[beam][beam]
        middle = p * (-form[beam][other] / a) - q * (form[beam][Y] / a)
        rest = p * (form[other][other] * p + 2 * form[other][Y] * q) + form[Y][Y] * q**2
        return _around(self.centre[beam] + middle, middle**2 - (rest - 1) / a)


@dataclass(frozen=True)
class Stack:
    """Superellipses stacked along y: half-axes `a` (x) and `b` (z), centres `cx`, `cz` a row.

    Every field but `power` holds one value per row of the image grid, shape (rows, 1).
    """

    cx: np.ndarray
    cz: np.ndarray
    a: np.ndarray
    b: np.ndarray
    power: float = 2.0

    def interval(self, across: np.ndarray, level: np.ndarray, beam: int) -> Interval:
        """Entry and exit of rays at (`across`, `level`) that run along axis `beam`."""
        swap = beam == X
        middle, offset = (self.cx, self.cz) if swap else (self.cz, self.cx)
        depth, width = (self.a, self.b) if swap else (self.b, self.a)
        t = np.abs(across - offset) / np.maximum(width, 1e-6)
        inside = np.maximum(1 - t**self.power, 0.0)
        return _around(middle, (depth * inside ** (1 / self.power)) ** 2)


def _around(middle: np.ndarray, half_squared: np.ndarray) -> Interval:
    hit = half_squared > 0
    half = np.sqrt(np.where(hit, half_squared, 0.0))
    return np.where(hit, middle - half, np.inf), np.where(hit, middle + half, -np.inf)


def hull(*intervals: Interval) -> Interval:
    """Smallest interval that holds all of them."""
    near, far = zip(*intervals, strict=True)
    return np.minimum.reduce(near), np.maximum.reduce(far)


def common(*intervals: Interval) -> np.ndarray:
    """Length (cm) of the part that all intervals share."""
    near, far = zip(*intervals, strict=True)
    return np.maximum(np.minimum.reduce(far) - np.maximum.reduce(near), 0.0)


def without(body: Interval, first: Interval, second: Interval) -> np.ndarray:
    """Length (cm) of `body` outside `first` and `second`, by inclusion and exclusion."""
    cut = common(body, first) + common(body, second) - common(body, first, second)
    return np.maximum(common(body) - cut, 0.0)
