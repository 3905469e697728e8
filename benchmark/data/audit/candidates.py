"""Which pairs of images could be copies of each other: perceptual hashes, searched in blocks.

Chest radiographs all look alike to a perceptual hash, and a crop by 5 % moves more of it than
another patient does. So each image is hashed through the 16 windows that cut nothing or 5 % off
each side; of a copy and its original, one's whole nearly equals a window of the other. Whole, it is
hashed again in the five ways in which a copy may be mirrored or turned, as is done to have more
images, and as a negative in all six. One with a constant border is hashed without it, too
(``borders.py``). A hash is the local contrast on a 16 x 16 grid, minus that of the typical image,
on the 64 leading axes of the set, at unit length. Pairs whose hashes agree are compared again on a
24 x 24 grid, and each image keeps the :data:`KEPT` best partners.

Measured on 300 copies each of 14 kinds of 1,000 NIH and 1,000 Kermany images (JPEG 50, scaled to
25 %, cropped by up to 5 % a side, brightness x0.8, x1.2, -20 % and +20 % of the range, and
combinations): hash agreement with the original at least 0.77, where 0.7 % of all other pairs exceed
:data:`AGREEMENT`; agreement on the second grid at least 0.79, where 0.1 % of them exceed
:data:`SECOND_AGREEMENT`.

All pairs are looked at, in products of matrices on all cores: 2 * 27 * 64 operations a pair, 4.3e13
for 112,000 images, which two cores do in minutes (``benchmarks/PREPARE.md``). Hashes lie on disk
and are read block by block.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np

from benchmark.data.audit.borders import Trimmed, with_trimmed
from benchmark.data.audit.ondisk import OnDisk, written
from benchmark.data.audit.texture import COARSE, local_contrast, unit, window
from benchmark.data.indexed_images import TRANSFORMS, Images, turned
from tfds_builders.parallel import in_order

WINDOWS = np.array(list(product((0.0, 0.05), repeat=4)), np.float32)
_WAYS = list(range(len(TRANSFORMS)))  # the first leaves an image as it is
TURNS = np.array([0] * len(WINDOWS) + _WAYS[1:] + _WAYS)
"""How an image is looked at, (L,): how it is turned..."""
NEGATIVE = np.arange(len(TURNS)) >= len(TURNS) - len(_WAYS)
"""... whether black and white change places..."""
CUTS = np.concatenate([WINDOWS, np.zeros((len(TURNS) - len(WINDOWS), 4), np.float32)])
"""... and through which cut, (L, 4)."""
AGREEMENT = 0.72
SECOND_AGREEMENT = 0.70
KEPT = 4
_PARTNERS = 200  # of each image that are compared on the second grid, on average, in a large set
_CELLS, _SECOND_CELLS, _AXES = 16, 24, 64
_SAMPLE = 4096  # images that tell what is typical of the set
_ROWS, _COLUMNS = 128, 1024  # of a block; its products fit into a processor's cache
# Held before all but the best are dropped: whichever is more.
_MOST_PAIRS, _MOST_PAIRS_AN_IMAGE = 50_000, KEPT // 2


@dataclass(frozen=True)
class Candidates:
    """Pairs of images of which one, altered, looks like the other.

    Attributes:
        whole: (P,) number of the image that is looked like...
        cut: ... and (P,) of the one that is altered.
        turns: (P,) how it is turned, codes of :data:`benchmark.data.indexed_images.TRANSFORMS`.
        negative: (P,) whether black and white change places.
        cuts: (P, 4) what is cut off.
        whole_borders: (P, 4) pixels of border that are taken off before all else...
        cut_borders: ... and those of the other.
    """

    whole: np.ndarray
    cut: np.ndarray
    turns: np.ndarray
    negative: np.ndarray
    cuts: np.ndarray
    whole_borders: np.ndarray
    cut_borders: np.ndarray

    @property
    def plain(self) -> np.ndarray:
        """(P,) whether neither is mirrored, turned or a negative: as patients are compared."""
        return (self.turns == 0) & ~self.negative


class _Hasher:
    """Makes hashes of textures relative to what is typical of the set."""

    def __init__(self, images: Images):
        sample = np.unique(np.linspace(0, len(images) - 1, _SAMPLE).astype(int))
        textures = (local_contrast(images[rows], COARSE) for rows in _blocks(sample))
        seen = [[_seen(t, cells) for cells in (_CELLS, _SECOND_CELLS)] for t in textures]
        first, second = (np.concatenate(each) for each in zip(*seen, strict=True))
        # In a handful of images the mean holds too much of each: the typical image is unknown.
        self._typical = [each.mean(0) * (len(sample) >= _AXES) for each in (first, second)]
        self._axes = np.linalg.svd(first - self._typical[0], full_matrices=False)[2][:_AXES].T

    def first(self, texture: np.ndarray, cuts: np.ndarray = WINDOWS[0]) -> np.ndarray:
        """(n, axes) float32 of textures (n, 64, 64), seen through windows."""
        projected = (_seen(texture, _CELLS, cuts) - self._typical[0]) @ self._axes
        length = np.linalg.norm(projected, axis=1, keepdims=True)
        seen = np.asarray(texture.any((1, 2)))[:, None]  # blank images resemble nothing
        return np.where(seen, projected / np.maximum(length, 1e-6), 0).astype(np.float32)

    def second(self, texture: np.ndarray, cuts: np.ndarray = WINDOWS[0]) -> np.ndarray:
        """(n, 576) float32."""
        return unit(_seen(texture, _SECOND_CELLS, cuts) - self._typical[1])

    def both(self, images: np.ndarray) -> np.ndarray:
        """Both of whole images, (n,) with fields ``first`` and, as float16, ``second``."""
        texture = local_contrast(images, COARSE)
        first, second = self.first(texture), self.second(texture)
        fields = [("first", np.float32, first.shape[1]), ("second", np.float16, second.shape[1])]
        hashes = np.empty(len(images), fields)
        hashes["first"], hashes["second"] = first, second
        return hashes


def _seen(texture: np.ndarray, cells: int, cuts: np.ndarray = WINDOWS[0]) -> np.ndarray:
    return unit(window(texture, cells, cuts))


def _blocks(rows: np.ndarray) -> list[np.ndarray]:
    return [rows[start : start + _ROWS] for start in range(0, len(rows), _ROWS)]


def find_candidates(
    images: Images,
    progress: Callable[[int, int], None] | None = None,
    scratch: Path | None = None,
    first: int = 0,
) -> Candidates:
    """Pairs that could be copies, at most :data:`KEPT` for each image.

    Args:
        images: uint8 (N, 64, 64).
        progress: called as ``progress(images done, images in all)``.
        scratch: folder in which hashes lie for the while, 1.4 KB an image; None: the system's.
        first: how many of them, at the beginning, others are to be compared with: each pair is then
            of one of these and one of the others, and each of the others keeps its best. 0: any
            pair.
    """
    if len(images) < 2:
        none, cuts = np.empty(0, int), np.empty((0, 4), int)
        return Candidates(none, none, none, none > 0, cuts.astype(np.float32), cuts, cuts)
    seen = with_trimmed(images)
    begin = int(np.searchsorted(seen.rows, first))
    hasher = _Hasher(seen)
    blocks = _blocks(np.arange(begin)) + _blocks(np.arange(begin, len(seen)))
    best, waiting = np.empty((0, 4), np.float32), []  # whole, cut, look, agreement
    with tempfile.TemporaryDirectory(dir=scratch, prefix=".hashes-") as folder:
        made = in_order(lambda rows: hasher.both(seen[rows]), blocks)
        hashes = written(Path(folder) / "hashes.npy", len(seen), made)
        search = partial(_partners, seen, hasher, hashes, _threshold(hashes), begin)
        for rows, pairs in zip(blocks, in_order(search, blocks), strict=True):
            waiting.append(pairs)
            if sum(map(len, waiting)) > max(_MOST_PAIRS, _MOST_PAIRS_AN_IMAGE * len(images)):
                best, waiting = _keep_best([best, *waiting], seen.rows, begin), []
            if progress:
                progress(int(seen.rows[rows[-1]]) + 1, len(images))
    whole, cut, which = _keep_best([best, *waiting], seen.rows, begin)[:, :3].astype(int).T
    return Candidates(
        whole=seen.rows[whole],
        cut=seen.rows[cut],
        turns=TURNS[which],
        negative=NEGATIVE[which],
        cuts=CUTS[which],
        whole_borders=seen.borders[whole],
        cut_borders=seen.borders[cut],
    )


def _threshold(hashes: OnDisk) -> float:
    """:data:`AGREEMENT`, or more where a large set would give too many pairs."""
    sample = hashes[np.unique(np.linspace(0, len(hashes) - 1, 1000).astype(int))]["first"]
    agreement = (sample @ sample.T)[np.triu_indices(len(sample), 1)]
    if not len(agreement) or len(hashes) <= _PARTNERS:
        return AGREEMENT
    return max(AGREEMENT, float(np.quantile(agreement, 1 - _PARTNERS / len(hashes))))


def _partners(
    images: Trimmed,
    hasher: _Hasher,
    hashes: OnDisk,
    threshold: float,
    first: int,
    rows: np.ndarray,
) -> np.ndarray:
    """Pairs (P, 4) in which some images are the cut ones: whole, cut, look, agreement."""
    texture = local_contrast(images[rows], COARSE)
    signs = np.where(NEGATIVE, np.float32(-1), np.float32(1))  # of a negative's local contrast
    ways = zip(signs, TURNS, CUTS, strict=True)
    looks = [(sign * turned(texture, turn), cut) for sign, turn, cut in ways]
    firsts = np.stack([hasher.first(*look) for look in looks])
    seconds = np.stack([hasher.second(*look) for look in looks])
    found = []
    begin, end = (0, first) if rows[0] >= first > 0 else (first, len(images))
    for column in range(begin, end, _COLUMNS):
        others = hashes[column : min(column + _COLUMNS, end)]
        pairs = _block(firsts, seconds, others, threshold)
        pairs[:, :2] += column, rows[0]
        whole, cut = images.rows[pairs[:, :2].astype(int).T]
        found.append(pairs[whole != cut])
    return np.concatenate(found)


def _block(
    firsts: np.ndarray, seconds: np.ndarray, hashes: np.ndarray, threshold: float
) -> np.ndarray:
    """Pairs of a block, (P, 4): whole, cut, look, agreement on the second grid."""
    looks, rows, axes = firsts.shape
    agreement = (firsts.reshape(-1, axes) @ hashes["first"].T).reshape(looks, rows, -1)
    cut, whole = np.nonzero(agreement.max(0) >= threshold)
    which = agreement[:, cut, whole].argmax(0)
    second = hashes["second"][whole].astype(np.float32)
    again = np.einsum("pd,pd->p", seconds[which, cut], second)
    pairs = np.stack([whole, cut, which, again], 1).astype(np.float32)  # exact below 2^24 images
    return pairs[again >= SECOND_AGREEMENT]


def _keep_best(found: list[np.ndarray], images: np.ndarray, first: int) -> np.ndarray:
    """The :data:`KEPT` best partners of each whole image, or of each that others are not.

    ``images`` (M,) says which image each row is; of two images that were looked at with and without
    a border, the best pair counts.
    """
    pairs = np.concatenate(found)
    pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0], -pairs[:, 3]))]
    whole, cut = images[pairs[:, :2].astype(int).T]
    once = np.sort(np.unique(whole * len(images) + cut, return_index=True)[1])
    pairs = pairs[once]
    keeper = np.where(pairs[:, 0] < first, -1 - cut[once], whole[once])
    order = np.argsort(keeper, kind="stable")
    _, begins, counts = np.unique(keeper[order], return_index=True, return_counts=True)
    rank = np.arange(len(pairs)) - np.repeat(begins, counts)
    return pairs[order[rank < KEPT]]
