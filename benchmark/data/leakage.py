"""The leakage gate: may a model trained on this set be tested on it?

The leakage status is ``leak`` (the same patient, or the same image, on both sides of a
split), ``suspected`` (an ambiguity that the builder declares, with its reason) or ``clean``. A leak
stops every run whose protocol does not allow it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from benchmark.data.facts import SPLITS, Suspected
from benchmark.records.facts import PATIENTS_UNKNOWN, LeakageStatus

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


@dataclass(frozen=True)
class Leakage:
    """The leakage status of a set, and the reasons for it in prose."""

    status: LeakageStatus
    reasons: tuple[str, ...]


def audit(
    manifest: pd.DataFrame,
    suspected: Sequence[Suspected],
    *,
    patients_unknown: bool = False,
    same_image: np.ndarray | None = None,
) -> Leakage:
    """Look for patients and images that stand on both sides of a split.

    Args:
        manifest: DataFrame of :meth:`benchmark.data.prepared.Prepared.manifest`.
        suspected: the builder's declarations: between these splits equal patient ids do not prove
            the same patient.
        patients_unknown: the set does not say which images are of one patient.
        same_image: (N,) a number for each line of the manifest, equal where the same image is
            shown (see :mod:`benchmark.data.audit.copies`); None: only identical files are found.
    """
    declared = {frozenset(entry.splits): entry.reason for entry in suspected}
    leaks, suspicions = [], [PATIENTS_UNKNOWN] if patients_unknown else []
    for a, b in combinations(SPLITS, 2):
        images = _shared(manifest, "sha256", a, b)
        if images:
            leaks.append(f"{_count(images, 'identical image')} in both {a} and {b}")
        copies = 0 if same_image is None else _copied(manifest, same_image, a, b)
        if copies:
            leaks.append(
                f"{_count(copies, 'image')} in both {a} and {b} as copies that differ in bytes "
                "(scaled, cropped, padded, compressed, brightened, negative, mirrored or turned)"
            )
        patients = _shared(manifest, "patient_id", a, b)
        if patients and frozenset((a, b)) in declared:
            reason = declared[frozenset((a, b))]
            suspicions.append(f"{_count(patients, 'patient id')} in both {a} and {b}: {reason}")
        elif patients:
            leaks.append(f"{_count(patients, 'patient')} in both {a} and {b}")
    status: LeakageStatus = "leak" if leaks else "suspected" if suspicions else "clean"
    return Leakage(status, tuple(leaks + suspicions))


def _shared(manifest: pd.DataFrame, column: str, a: str, b: str) -> int:
    values = {split: set(manifest.loc[manifest["split"] == split, column]) for split in (a, b)}
    return len(values[a] & values[b])


def _copied(manifest: pd.DataFrame, same_image: np.ndarray, a: str, b: str) -> int:
    """Images in both splits that are not there as identical files."""
    shown = {split: manifest["split"].to_numpy() == split for split in (a, b)}
    files = {split: set(manifest["sha256"][shown[split]]) for split in (a, b)}
    identical = manifest["sha256"].isin(files[a] & files[b]).to_numpy()
    known = set(same_image[identical & (shown[a] | shown[b])])
    return len((set(same_image[shown[a]]) & set(same_image[shown[b]])) - known)


def _count(n: int, what: str) -> str:
    return f"{n} {what}{'s' if n != 1 else ''}"
