"""Side markers and wires: what lies on a film besides the patient."""

from __future__ import annotations

import numpy as np

from .physics import LEAD
from .projection import FIELD, Projection

_GLYPHS = {
    "L": ("#....", "#....", "#....", "#....", "#....", "#....", "#####"),
    "A": (".###.", "#...#", "#...#", "#####", "#...#", "#...#", "#...#"),
    "P": ("####.", "#...#", "#...#", "####.", "#....", "#....", "#...."),
}


def marker(film: Projection, rng: np.random.Generator) -> np.ndarray:
    """Line integral (S, S) of the lead letters on a film; two films in five carry none.

    A bedside film usually says AP; a frontal one names the left side.
    """
    shown, corner = rng.random(), rng.uniform((14.2, -17.5), (17.0, -13.0))
    plate = np.zeros((film.size, film.size))
    if shown < (0.75 if film.view == "AP" else 0.55):
        _write(plate, film, "L", corner, 0.9)
        if film.view == "AP" and shown < 0.55:
            _write(plate, film, "AP", corner + np.array([-1.0, 2.2]), 0.6)
    return LEAD * plate


def _write(
    plate: np.ndarray, film: Projection, text: str, corner: np.ndarray, height: float
) -> None:
    rows = [".".join(parts) for parts in zip(*(_GLYPHS[letter] for letter in text), strict=True)]
    bitmap = np.array([[dot == "#" for dot in row] for row in rows], float)
    dot = height * 1.6 / len(bitmap)
    place = (np.arange(film.size) + 0.5) * film.pixel - FIELD / 2
    column = _cover(place, corner[0] + dot * np.arange(bitmap.shape[1]), dot, film.pixel)
    row = _cover(place, corner[1] + dot * np.arange(bitmap.shape[0]), dot, film.pixel)
    # einsum and not @: no BLAS, whose threads would share a handful of letters
    plate += np.einsum("rc,kc->rk", np.einsum("rd,dc->rc", row, bitmap), column)


def _cover(place: np.ndarray, start: np.ndarray, length: float, pixel: float) -> np.ndarray:
    """Share (pixels, dots) of each pixel that each dot covers along one axis."""
    low = np.maximum(place[:, None] - pixel / 2, start)
    high = np.minimum(place[:, None] + pixel / 2, start + length)
    return np.maximum(high - low, 0) / pixel
