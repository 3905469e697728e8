"""Which candidate pairs show the same radiograph: registration, then correlation of fine texture.

The cut that turns one image into the other is refined by Gauss-Newton steps on six numbers (the
four cuts, gain and offset), first on coarse local contrast (32 x 32 cells), then on fine (48 x 48).
What is compared at last is the fine band (0.5 to 1.5 px of 64): anatomy is alike in all patients,
texture is not. A margin of 8 % is left out, where local contrast knows the image's border.

Correlations measured on 1,000 NIH images at 256 px and 5,840 of Kermany at 224 px, the copies on 30
of each; candidates are the best partners that hashes find:

=============================================  ========  =========
pairs                                          NIH       Kermany
=============================================  ========  =========
copy: JPEG quality 50, lowest                  0.98      0.99
copy: scaled to 25 %, lowest                   0.99      0.99
copy: cropped by up to 5 % a side, lowest      0.97      0.99
copy: gain 0.8 or 1.2, lowest                  0.92      0.93
copy: a fifth of the range darker or brighter  0.94      0.93
different patients: median                     0.54      0.52
different patients: highest                    0.80      0.81
same patient, another day: highest             0.92      0.95
=============================================  ========  =========

Hence :data:`SAME`. An image of the same patient from another day can reach it (8 pairs of the NIH
images, 4 of Kermany's). Looked at by eye, no pair of different patients does in 1,000 NIH images,
in Kermany's 5,840, or in those with the 1,532 images of the lung mask set, each of which is found
as another copy of its original. The highest is 0.81 (``person1012_bacteria_2943``,
``person1018_bacteria_2949``: by eye one child on two days, or two in the same pose).

Mirrored and turned copies, 30 of each of seven kinds, are found as surely: the lowest of 150 of NIH
is 1.0, with a fifth darker besides 0.93, with 2 % cropped off all round 0.986; with 5 % cropped off
86 of 150 are no candidates. Of the 8,372 images, the highest pair of a mirrored one and a different
patient is at 0.65.

So are negatives and copies with a border, 15 of each of 24 kinds of 480 images of either set:

=====================================================  ========  =========
copy                                                   NIH       Kermany
=====================================================  ========  =========
negative, mirrored or turned, too, lowest              0.99      0.99
negative, JPEG 50, lowest                              0.97      0.99
negative, cropped by 5 % all round                     8 found   3 found
letterboxed (78 % wide), black, grey or white, lowest  0.98      0.99
letterboxed and a fifth darker, lowest                 0.96      0.95
letterboxed and cropped by 5 % all round, lowest       0.93      0.97
padded by 30 % on one side                             14 found  15 found
padded all round by 5 to 30 %, lowest                  0.95      0.98
padded all round by 40 %                               13 found  13 found
=====================================================  ========  =========

Different patients reach 0.80 among these, a negative and another patient 0.79.
Of 30 letterboxed copies that were cropped by 3 or 5 % besides, or padded all round a film with a
narrow rim of its own, one may be no candidate.

All alterations at once (cropped by up to 5 % a side, a fifth brighter or darker, scaled to 25 %,
JPEG 50; 12 kinds of 150 images each) leave 3.7 % of the NIH copies and 0.6 % of Kermany's below it,
the lowest at 0.77 and 0.76. No other band and no linear combination of bands told these from other
patients. A lower bar would take different patients for one image, which stops a run; so pairs of
different patients from :data:`DOUBTFUL` on are listed for the eye and do not count in the leakage
status.

Simulated patients are more alike than real ones: up to 0.96 in ``thorax_phantom``. So a set's own
candidates of different patients raise the bar to :data:`SPREADS` spreads above their median, on the
scale of Fisher's z, where that is more: 0.80 for NIH, 0.82 for Kermany, 0.977 for the phantom. The
spread is taken from their lower half, because true copies sit at the top.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmark.data.audit.borders import Trimmed
from benchmark.data.audit.candidates import Candidates
from benchmark.data.audit.texture import COARSE, FINE, local_contrast, sampling, unit, window
from benchmark.data.indexed_images import Images, IndexedImages
from tfds_builders.parallel import in_order

SAME = 0.85
"""Correlation of registered fine texture from which two images are the same radiograph."""

DOUBTFUL = 0.76
"""Correlation from which a pair of different patients below the bar is worth a look by eye."""

FOLLOW_UP = 0.97
"""The same for two images of one patient, which may be two exposures (at most 0.95)."""

SPREADS = 5.0
_TOO_FEW = 20  # candidates to know how alike the patients of a set are
_STRICT = 0.97  # what then is asked for
_PASSES = 5  # each leaves out the copies that the one before found

_WORTH_A_SECOND_LOOK = 0.82  # coarse correlation; copies reach at least 0.87
_MARGIN = 4  # of 48 cells
_REACH = (-0.08, 0.14)  # cuts that registration may find
_BATCH = 64  # of pairs; each core holds 20 MB for one
_EPSILON = np.float32(0.004)  # half the difference of cuts from which slopes are taken


def correlations(
    images: Images,
    pairs: Candidates,
    progress: Callable[[int, int], None] | None = None,
) -> np.ndarray:
    """Correlation of each candidate pair after registration.

    Args:
        images: uint8 (N, 64, 64).
        pairs: P candidates, compared on all cores.
        progress: called as ``progress(pairs done, pairs in all)``.

    Returns:
        (P,) float32 in [-1, 1]; -1 where already the coarse images do not fit.
    """
    found = np.full(len(pairs.whole), -1, np.float32)
    parts = [slice(start, start + _BATCH) for start in range(0, len(found), _BATCH)]
    wholes = Trimmed(images, pairs.whole, pairs.whole_borders)
    trimmed = Trimmed(images, pairs.cut, pairs.cut_borders)
    turned = IndexedImages([trimmed], np.arange(len(trimmed)), pairs.turns)

    def correlated(part: slice) -> np.ndarray:
        cut = turned[part]
        cut = np.where(pairs.negative[part, None, None], 255 - cut, cut)
        return _correlate(cut, wholes[part], pairs.cuts[part])

    for part, correlation in zip(parts, in_order(correlated, parts), strict=True):
        found[part] = correlation
        if progress:
            progress(min(part.stop, len(found)), len(found))
    return found


def threshold(different: np.ndarray) -> float:
    """Correlation from which a pair is taken for the same radiograph in this set.

    Args:
        different: (P,) in [-1, 1], correlations of the candidate pairs of different patients.
    """
    # What is surely a copy tells nothing of patients; in an augmented set it is most of the pairs.
    z = np.arctanh(different[(different > -1) & (different < _STRICT)].astype(float))
    sure = _STRICT
    for _ in range(_PASSES):
        if len(z) < _TOO_FEW:
            break
        low, median = np.quantile(z, [0.1, 0.5])
        spread = (median - low) / 1.2816  # of a normal distribution with these two quantiles
        sure = max(SAME, float(np.tanh(median + SPREADS * spread)))
        z = z[z < np.arctanh(sure)]
    return sure


def _correlate(cut: np.ndarray, whole: np.ndarray, cuts: np.ndarray) -> np.ndarray:
    found = np.full(len(cut), -1, np.float32)
    moving, target = (local_contrast(images, COARSE) for images in (cut, whole))
    fit, cuts = register(moving, target, cuts, cells=32, steps=6)
    likely = np.flatnonzero(fit >= _WORTH_A_SECOND_LOOK)
    if len(likely):
        moving, target = (local_contrast(images[likely], FINE) for images in (cut, whole))
        _, cuts = register(moving, target, cuts[likely], cells=48, steps=2)
        inner = slice(_MARGIN, -_MARGIN)
        seen = [window(moving, 48, cuts), window(target, 48, np.zeros(4))]
        found[likely] = _correlation(*(each[:, inner, inner] for each in seen))
    return found


def register(
    moving: np.ndarray, fixed: np.ndarray, cuts: np.ndarray, *, cells: int, steps: int
) -> tuple[np.ndarray, np.ndarray]:
    """Find the cut of each moving texture that fits the whole fixed one, by Gauss-Newton steps.

    Args:
        moving: float32 (P, 64, 64).
        fixed: float32 (P, 64, 64).
        cuts: (P, 4) where to begin.
        cells: grid on which the two are compared.
        steps: number of steps; the best place on the way is kept.

    Returns:
        Correlation (P,) and cuts (P, 4).
    """
    target = window(fixed, cells, np.zeros(4))
    best, best_cuts = np.full(len(moving), -2, np.float32), cuts.copy()
    for step in range(steps + 1):
        seen, slopes = _with_slopes(moving, cells, cuts)
        fit = _correlation(seen, target)
        better = fit > best
        best[better], best_cuts[better] = fit[better], cuts[better]
        if step < steps:
            cuts = np.clip(cuts + _step(seen, slopes, target), *_REACH).astype(np.float32)
    return best, best_cuts


def _with_slopes(
    moving: np.ndarray, cells: int, cuts: np.ndarray
) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
    """The windows (P, c, c) and their derivatives by the four cuts, each (P, c, c)."""
    left, top, right, bottom = cuts.T
    down, across = sampling(cells, top, bottom), sampling(cells, left, right).transpose(0, 2, 1)
    wide, high = moving @ across, down @ moving

    def slope(low: np.ndarray, high_: np.ndarray, by_low: bool) -> np.ndarray:
        e = (_EPSILON, 0) if by_low else (0, _EPSILON)
        ahead = sampling(cells, low + e[0], high_ + e[1])
        return (ahead - sampling(cells, low - e[0], high_ - e[1])) / (2 * _EPSILON)

    slopes = (
        high @ slope(left, right, True).transpose(0, 2, 1),
        slope(top, bottom, True) @ wide,
        high @ slope(left, right, False).transpose(0, 2, 1),
        slope(top, bottom, False) @ wide,
    )
    return down @ wide, slopes


def _step(seen: np.ndarray, slopes: tuple[np.ndarray, ...], target: np.ndarray) -> np.ndarray:
    """Least-squares change of the cuts (P, 4), beside gain and offset; at most 3 % of a side."""
    pairs = len(seen)
    columns = np.stack([*slopes, seen, np.ones_like(seen)], -1).reshape(pairs, -1, 6)
    normal = columns.transpose(0, 2, 1) @ columns
    size = np.trace(normal, axis1=1, axis2=2)[:, None, None] / 6
    damping = np.diag([1e-3] * 4 + [0.0] * 2).astype(np.float32) * size
    damping = damping + np.eye(6, dtype=np.float32) * np.float32(1e-4)
    residual = (target - seen).reshape(pairs, -1, 1)
    solved = np.linalg.solve(normal + damping, columns.transpose(0, 2, 1) @ residual)
    return np.clip(solved[:, :4, 0], -0.03, 0.03)


def _correlation(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.einsum("pd,pd->p", unit(a), unit(b))
