"""Patients that stand on both sides of a split."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

from benchmark.data.prepared import SPLITS

if TYPE_CHECKING:
    import pandas as pd


def shared_patients(manifest: pd.DataFrame, findings: list[str]) -> list[dict[str, Any]]:
    """Patient ids in two splits, and in the test split and any other.

    Returns:
        One entry per pair of sides: ``sides`` (two lists of splits), ``patients``, ``by_finding``
        (how many of them have the finding in any of their images there) and ``no_finding``.
    """
    sides = [((a,), (b,)) for a, b in combinations(SPLITS, 2)] + [(SPLITS[:2], SPLITS[2:])]
    return [_shared(manifest, findings, *pair) for pair in sides]


def _shared(
    manifest: pd.DataFrame, findings: list[str], a: tuple[str, ...], b: tuple[str, ...]
) -> dict:
    ids = [set(manifest.loc[manifest["split"].isin(side), "patient_id"]) for side in (a, b)]
    here = manifest["patient_id"].isin(ids[0] & ids[1]) & manifest["split"].isin(a + b)
    lines = manifest[here]
    positive = {f: (lines[f"target:{f}"] * lines[f"labelled:{f}"]).astype(bool) for f in findings}
    with_any = {p for f in findings for p in lines.loc[positive[f], "patient_id"]}
    return {
        "sides": [list(a), list(b)],
        "patients": len(ids[0] & ids[1]),
        "by_finding": {f: int(lines.loc[positive[f], "patient_id"].nunique()) for f in findings},
        "no_finding": len((ids[0] & ids[1]) - with_any),
    }
