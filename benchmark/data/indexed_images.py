"""Images of a view picked anew, in another order or turned, without copying the view."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

TRANSFORMS = ("", "rot90", "rot180", "rot270", "flip_lr", "flip_ud")
"""The exact transforms of a square image, by code; 0 leaves it as it is."""
_MOVES = (
    lambda image: image,
    lambda image: np.rot90(image, 1, axes=(-2, -1)),
    lambda image: np.rot90(image, 2, axes=(-2, -1)),
    lambda image: np.rot90(image, 3, axes=(-2, -1)),
    lambda image: image[..., ::-1],
    lambda image: image[..., ::-1, :],
)


def turned(images: np.ndarray, code: int) -> np.ndarray:
    """Square images (..., S, S) under one of :data:`TRANSFORMS`; a view of the same memory."""
    return _MOVES[code](images)


class Images(Protocol):
    """What the pipeline reads: a view's memory map, an array, or :class:`IndexedImages`."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(N, S, S)."""

    @property
    def dtype(self) -> np.dtype:
        """uint8."""

    def __len__(self) -> int:
        """Number of images."""

    def __getitem__(self, rows: np.ndarray | slice) -> np.ndarray:
        """uint8 (n, S, S) of these rows."""


class IndexedImages:
    """Rows of one or several sources of images, each under one of :data:`TRANSFORMS`.

    Nothing is read before it is asked for, so memory does not grow with the number of rows.

    Args:
        sources: images of one size, uint8 (N_i, S, S) each.
        rows: int (M,), positions in the sources laid end to end.
        codes: int (M,), the transform of each; None for none.
    """

    def __init__(
        self, sources: Sequence[Images], rows: np.ndarray, codes: np.ndarray | None = None
    ):
        self._sources = tuple(sources)
        self._starts = np.cumsum([0, *(len(source) for source in self._sources)])
        self._rows = np.asarray(rows, np.int64)
        self._codes = np.zeros(len(self._rows), np.uint8) if codes is None else np.asarray(codes)
        self.shape = (len(self._rows), *self._sources[0].shape[1:])
        self.dtype = np.dtype(np.uint8)

    def __len__(self) -> int:
        """Number of rows."""
        return len(self._rows)

    def __getitem__(self, index: np.ndarray | slice) -> np.ndarray:
        """The images of these rows, uint8 (n, S, S)."""
        rows, codes = self._rows[index], self._codes[index]
        images = np.empty((len(rows), *self.shape[1:]), np.uint8)
        owners = np.searchsorted(self._starts, rows, side="right") - 1
        for owner in np.unique(owners):
            here = owners == owner
            images[here] = self._sources[owner][rows[here] - self._starts[owner]]
        for code in np.unique(codes[codes > 0]):
            here = codes == code
            images[here] = turned(images[here], code)
        return images
