"""How well predicted masks lie on the true ones: Dice, IoU and pixel accuracy, image by image.

Every number of a segmentation row is a mean over images, so that each image counts the same
whatever the size of its lungs; the interval is from the bootstrap over patients, each
with all images.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from benchmark.records.scores import Interval, MaskGroup, MaskScores
from benchmark.scoring.bootstrap import multiplicities
from benchmark.scoring.intervals import percentile
from benchmark.scoring.scorecard import SCORER_VERSION, ScoringError

if TYPE_CHECKING:
    from benchmark.records.mask_counts import MaskCounts

ALL = "all"
"""The group of every image of a split; further groups are those of one pairing."""


def dice(counts: np.ndarray) -> np.ndarray:
    """Dice coefficient 2 tp / (2 tp + fp + fn) of each image (Dice 1945, doi:10.2307/1932409).

    Args:
        counts: (N, 4) pixels that are tp, fp, fn, tn.

    Returns:
        (N,) float64 in [0, 1]; 1 where both masks are empty.
    """
    tp, fp, fn, _ = counts.T
    return _share(2 * tp, 2 * tp + fp + fn)


def iou(counts: np.ndarray) -> np.ndarray:
    """Intersection over union tp / (tp + fp + fn) of each image, as :func:`dice`."""
    tp, fp, fn, _ = counts.T
    return _share(tp, tp + fp + fn)


def pixel_accuracy(counts: np.ndarray) -> np.ndarray:
    """Share of pixels that are told right, of each image, as :func:`dice`."""
    tp, _, _, tn = counts.T
    return _share(tp + tn, counts.sum(axis=1))


OVERLAPS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "dice": dice,
    "iou": iou,
    "pixel_accuracy": pixel_accuracy,
}


def score_masks(
    masks: MaskCounts, *, predictions_sha256: str, seed_text: str, resamples: int = 1000
) -> MaskScores:
    """Every number of a segmentation row, computed from its mask file alone.

    Args:
        masks: of the test split, and of others where there are any.
        predictions_sha256: of the file that holds them; the scores name it.
        seed_text: what the resamples are drawn from; rows to be compared need the same text.
        resamples: bootstrap resamples over patients.

    Returns:
        The scores. ``splits``: split, then group (``"all"`` and every pairing that the set tells),
        then the mean over images of each of :data:`OVERLAPS`; test also has ``intervals`` of 95 %.

    Raises:
        ScoringError: there is no test split.
    """
    if not (masks.split == "test").any():
        raise ScoringError("the masks hold no test split; there is nothing to report on")
    splits: dict[str, dict[str, MaskGroup]] = {}
    for split in dict.fromkeys(masks.split.tolist()):
        splits[split] = {}
        for name, group in _groups(masks.take(masks.split == split)).items():
            drawn = _intervals(group, resamples, seed_text, name) if split == "test" else None
            splits[split][name] = _means(group, drawn)
    return MaskScores(
        scorer_version=SCORER_VERSION,
        predictions_sha256=predictions_sha256,
        seed_text=seed_text,
        splits=splits,
    )


def _groups(part: MaskCounts) -> dict[str, MaskCounts]:
    pairings = sorted(set(part.pairing.tolist()) - {""})
    return {ALL: part} | {pairing: part.take(part.pairing == pairing) for pairing in pairings}


def _means(masks: MaskCounts, intervals: dict[str, Interval] | None) -> MaskGroup:
    return MaskGroup(
        n_images=len(masks.split),
        n_patients=len(np.unique(masks.patient_id)),
        overlaps={name: float(of(masks.counts).mean()) for name, of in OVERLAPS.items()},
        intervals=intervals,
    )


def _intervals(
    masks: MaskCounts, resamples: int, seed_text: str, stream: str
) -> dict[str, Interval]:
    ids, owner = np.unique(masks.patient_id, return_inverse=True)
    values = [of(masks.counts) for of in OVERLAPS.values()]
    sums = np.stack([np.bincount(owner, weights=v) for v in [*values, np.ones(len(owner))]])
    means = []
    for weights in multiplicities(len(ids), resamples, seed_text, stream):
        drawn = sums @ weights
        means.append(drawn[:-1] / drawn[-1])
    replicates = np.concatenate(means, axis=1)
    limits = {name: percentile(r) for name, r in zip(OVERLAPS, replicates, strict=True)}
    return {name: each for name, each in limits.items() if each is not None}


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.ones(len(part)), where=whole > 0)
