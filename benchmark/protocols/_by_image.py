"""All images of a set split anew, image by image, whoever the patients are."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace

import numpy as np

from benchmark.data.indexed_images import TRANSFORMS
from benchmark.data.prepared import SPLITS, ManifestPart, Prepared
from benchmark.data.split_data import SplitData
from benchmark.errors import UserError
from benchmark.training.imbalance import check_policy, find_policy


def by_image(
    protocol: str, fractions: dict[str, float], random_state: int, copied: str, prepared: Prepared
) -> dict[str, SplitData]:
    """The images of each split.

    Args:
        protocol: its name, for messages.
        fractions: see :func:`image_split`; a split without one has the test images.
        copied: the imbalance policy whose copies are made before the split; empty for none.

    Raises:
        UserError: a split would be empty, or the policy is for another kind of task.
    """
    pool = _pool(prepared)
    if copied:
        pool = _with_copies(pool, copied, prepared)
    lines = image_split(len(pool.part), fractions, random_state)
    empty = [split for split, chosen in lines.items() if not len(chosen)]
    if empty:
        raise UserError(
            f"{prepared.name} has {len(pool.part)} images: too few for the split of "
            f"{protocol}, {', '.join(empty)} would be empty"
        )
    chosen = {split: pool.take(np.sort(each)) for split, each in lines.items()}
    return {split: chosen.get(split, chosen["test"]) for split in SPLITS}


def image_split(n: int, fractions: dict[str, float], random_state: int) -> dict[str, np.ndarray]:
    """Positions of the images of each split, whoever the patients are, int (n_split,).

    The permutation of scikit-learn's ``train_test_split``, cut as it does: the test images come
    first, rounded up, then validation, then train, each rounded down.

    Args:
        n: images in all.
        fractions: share in [0, 1] of each split that there is.
        random_state: of the permutation, as scikit-learn takes it.
    """
    order = np.random.RandomState(random_state).permutation(n)
    chosen, start = {}, 0
    for split, whole in (("test", math.ceil), ("validation", math.floor), ("train", math.floor)):
        if split in fractions:
            length = whole(fractions[split] * n)
            chosen[split] = order[start : start + length]
            start += length
    return chosen


def _pool(prepared: Prepared) -> SplitData:
    part = ManifestPart.joined(prepared.part(split) for split in SPLITS)
    return SplitData(part, SPLITS, np.arange(len(part)), np.zeros(len(part), np.uint8))


def _with_copies(pool: SplitData, imbalance: str, prepared: Prepared) -> SplitData:
    check_policy(imbalance, prepared.task)
    rows, codes = find_policy(imbalance).copies(pool.part.masked_targets)
    part = pool.part.take(rows)
    suffixes = np.array([f"~{name}" if name else "" for name in TRANSFORMS])
    ids = _numbered(np.char.add(part.image_id.astype(str), suffixes[codes]))
    return SplitData(replace(part, image_id=ids), SPLITS, rows, codes)


def _numbered(ids: np.ndarray) -> np.ndarray:
    """Ids with a number behind each copy that has come before: a rare class comes round again."""
    seen: Counter[str] = Counter()
    told = []
    for image_id in ids.tolist():
        seen[image_id] += 1
        told.append(image_id if seen[image_id] == 1 else f"{image_id}~{seen[image_id]}")
    return np.array(told)
