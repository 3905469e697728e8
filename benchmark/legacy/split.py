"""The images of a spec under a legacy protocol: split by image, or as published with its leaks."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from benchmark.data.gathered import TRANSFORMS
from benchmark.data.prepared import SPLITS, ManifestPart, Prepared
from benchmark.data.split_data import SplitData
from benchmark.errors import UserError
from benchmark.legacy.protocol import LegacyProtocol
from benchmark.records.row import Verdict
from benchmark.training.imbalance import check_policy, find_policy

BEFORE_SPLIT = "before_split"


@dataclass(frozen=True)
class _Pool:
    """All images of a set, each copy a line of its own."""

    part: ManifestPart
    rows: np.ndarray
    codes: np.ndarray

    def take(self, lines: np.ndarray) -> SplitData:
        return SplitData(self.part.take(lines), SPLITS, self.rows[lines], self.codes[lines])


def legacy_data(
    protocol: LegacyProtocol, imbalance: str, prepared: Prepared
) -> dict[str, SplitData]:
    """The images of each split under a legacy protocol.

    Args:
        protocol: how to split.
        imbalance: the spec's policy; its copies are made here where the protocol makes them
            before it splits. Copies have ids of their own, ``<image id>~flip_lr``, ``...~2`` where
            one comes again.
        prepared: the data set; all its splits are taken together.

    Raises:
        UserError: a split would be empty, or the policy is for another kind of task.
    """
    if protocol.split == "as_published":
        return {split: SplitData(prepared.part(split), (split,)) for split in SPLITS}
    pool = _pool(prepared)
    if protocol.copies == BEFORE_SPLIT:
        pool = _with_copies(pool, imbalance, prepared)
    lines = image_split(len(pool.part), protocol.fractions, protocol.random_state)
    empty = [split for split, chosen in lines.items() if not len(chosen)]
    if empty:
        raise UserError(
            f"{prepared.name} has {len(pool.part)} images: too few for the split of "
            f"{protocol.name}, {', '.join(empty)} would be empty"
        )
    chosen = {split: pool.take(np.sort(each)) for split, each in lines.items()}
    return {split: chosen.get(split, chosen["test"]) for split in SPLITS}


def image_split(n: int, fractions: dict[str, float], random_state: int) -> dict[str, np.ndarray]:
    """Positions of the images of each split, whoever the patients are, int (n_split,).

    The permutation of scikit-learn's ``train_test_split``, cut as it does: the test images come
    first, rounded up, then validation, then train, each rounded down.
    """
    order = np.random.RandomState(random_state).permutation(n)
    chosen, start = {}, 0
    for split, whole in (("test", math.ceil), ("validation", math.floor), ("train", math.floor)):
        if split in fractions:
            length = whole(fractions[split] * n)
            chosen[split] = order[start : start + length]
            start += length
    return chosen


def _pool(prepared: Prepared) -> _Pool:
    parts = [vars(prepared.part(split)) for split in SPLITS]
    joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    n = len(joined["image_id"])
    return _Pool(ManifestPart(**joined), np.arange(n), np.zeros(n, np.uint8))


def _with_copies(pool: _Pool, imbalance: str, prepared: Prepared) -> _Pool:
    check_policy(imbalance, prepared.task)
    rows, codes = find_policy(imbalance).copies(pool.part.masked_targets)
    part = pool.part.take(rows)
    suffixes = np.array([f"~{name}" if name else "" for name in TRANSFORMS])
    ids = _numbered(np.char.add(part.image_id.astype(str), suffixes[codes]))
    return _Pool(ManifestPart(**vars(part) | {"image_id": ids}), rows, codes)


def _numbered(ids: np.ndarray) -> np.ndarray:
    """Ids with a number behind each copy that has come before: a rare class comes round again."""
    seen: Counter[str] = Counter()
    told = []
    for image_id in ids.tolist():
        seen[image_id] += 1
        told.append(image_id if seen[image_id] == 1 else f"{image_id}~{seen[image_id]}")
    return np.array(told)


def legacy_verdict(
    data: dict[str, SplitData], verdict: Verdict, reasons: list[str]
) -> tuple[Verdict, list[str]]:
    """The leakage verdict and its reasons, counted on the split that was really used.

    Args:
        data: the images of each split.
        verdict: on the data set's own split, which holds where nothing is found here.
        reasons: of that verdict.
    """
    found = []
    for a, b in combinations(SPLITS, 2):
        for what, names in (("patient", _patients), ("image", _originals)):
            n = len(set(names(data[a])) & set(names(data[b])))
            found += [f"{n} {what}{'s' if n != 1 else ''} in both {a} and {b}"] if n else []
    return ("leak", found) if found else (verdict, reasons)


def _patients(data: SplitData) -> np.ndarray:
    return data.part.patient_id


def _originals(data: SplitData) -> np.ndarray:
    """What tells an image, whichever copy of it this is."""
    return data.part.image_id if data.rows is None else data.rows
