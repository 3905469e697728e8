"""Images without the constant border that they were padded with, as letterboxed copies are.

An image in which such a border is found is looked at twice, as it is and trimmed: the dark rim of a
film may pass for a border in one copy and not in a brighter one. Of a wider border only the trimmed
image is looked at, because equal borders make different patients alike (0.89 where 30 and 40 % of
the size were added on every side).
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from benchmark.data.audit.texture import SIZE
from benchmark.data.indexed_images import Images

CONSTANT = 8
"""Grey levels within which a border is constant, though it was compressed."""
NARROWEST, WIDEST = 2, SIZE // 4
"""Pixels of a border on one side. What is narrower is found as a cut; what is left inside of wider
ones has too little detail to tell patients apart."""
RIM = 8
"""Pixels that the rim of a film may have: 9 of 8,372 radiographs have more."""

_BLOCK = 1024  # images read at a time


class Trimmed:
    """Rows of a source of images, each without a border, scaled to the full size again.

    Args:
        source: uint8 (N, SIZE, SIZE).
        rows: (M,) positions in the source.
        borders: (M, 4) pixels to take off on the left, top, right and bottom; 0 where none is.
    """

    def __init__(self, source: Images, rows: np.ndarray, borders: np.ndarray):
        self._source, self.rows, self.borders = source, rows, borders
        self.shape, self.dtype = (len(rows), SIZE, SIZE), np.dtype(np.uint8)

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.rows)

    def __getitem__(self, index: np.ndarray | slice) -> np.ndarray:
        """The images of these rows, uint8 (n, SIZE, SIZE)."""
        images, borders = self._source[self.rows[index]], self.borders[index]
        for k in np.flatnonzero(borders.any(1)):
            left, top, right, bottom = borders[k].tolist()
            inside = (left, top, SIZE - right, SIZE - bottom)
            picture = Image.fromarray(images[k])
            images[k] = picture.resize((SIZE, SIZE), Image.Resampling.BICUBIC, inside)
        return images


def with_trimmed(images: Images) -> Trimmed:
    """Every image, without its border or, where that may be the film's rim, first with it."""
    every = np.arange(len(images))
    blocks = np.split(every, every[_BLOCK::_BLOCK])
    borders = np.concatenate([borders_of(images[rows]) for rows in blocks])
    widest = borders.max(1)
    padded = (widest >= NARROWEST) & (widest <= WIDEST)
    as_it_is = ~padded | (widest <= RIM)
    rows = np.concatenate([every[as_it_is], every[padded]])
    # The line where border and film meet holds some of both: it goes, too.
    taken_off = (borders + (borders > 0))[rows]
    taken_off[: as_it_is.sum()] = 0
    order = np.argsort(rows, kind="stable")
    return Trimmed(images, rows[order], taken_off[order])


def borders_of(images: np.ndarray) -> np.ndarray:
    """(N, 4) lines of one grey on the left, top, right and bottom of images (N, SIZE, SIZE)."""
    down, across = images, images.transpose(0, 2, 1)
    sides = (across, down, across[:, ::-1], down[:, ::-1])
    return np.stack([_lines_of_one_grey(side) for side in sides], 1)


def _lines_of_one_grey(images: np.ndarray) -> np.ndarray:
    """(N,) how many lines at the beginning are of one grey, all together."""
    darkest = np.minimum.accumulate(images.min(2), axis=1)
    brightest = np.maximum.accumulate(images.max(2), axis=1)
    return (brightest - darkest <= CONSTANT).sum(1)
