"""Groups of images that are one image: equal files, equal pixels, confirmed copies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from benchmark.data.audit.copies import Copies, Pair

if TYPE_CHECKING:
    import pandas as pd


def groups_of(labels: np.ndarray) -> list[list[int]]:
    """Lines that share one of the (N,) labels, for each label that more than one line has."""
    members: dict[Any, list[int]] = {}
    for line, label in enumerate(labels.tolist()):
        members.setdefault(label, []).append(line)
    return [lines for lines in members.values() if len(lines) > 1]


def exact(manifest: pd.DataFrame) -> dict[str, Any]:
    """Groups of files with the same bytes; see :func:`described`."""
    return described(manifest, groups_of(manifest["sha256"].to_numpy()))


def same_pixels(manifest: pd.DataFrame, copies: Copies) -> dict[str, Any]:
    """Groups with the same decoded pixels in different files."""
    digest = manifest["sha256"].to_numpy()
    groups = [group for group in copies.same_pixels if len(set(digest[group])) > 1]
    return described(manifest, groups)


def near(manifest: pd.DataFrame, copies: Copies, same_image: np.ndarray) -> dict[str, Any]:
    """Groups of confirmed copies (scaled, cropped, negative, ...) that are not equal files.

    Args:
        same_image: (N,) labels, the same for lines that show one radiograph.
    """
    digest = manifest["sha256"].to_numpy()
    groups = [lines for lines in groups_of(same_image) if len(set(digest[lines])) > 1]
    return described(manifest, groups) | {
        "threshold": copies.threshold,
        "pairs": _pairs(manifest, copies.pairs),
    }


def doubtful(manifest: pd.DataFrame, copies: Copies) -> list[dict[str, Any]]:
    """Pairs of different patients to look at, the most alike first; see :func:`_pairs`."""
    confirmed = {pair[:2] for pair in copies.pairs}
    open_pairs = [pair for pair in copies.doubtful if pair[:2] not in confirmed]
    return _pairs(manifest, sorted(open_pairs, key=lambda pair: -pair[2]))


def described(manifest: pd.DataFrame, groups: list[list[int]]) -> dict[str, Any]:
    """Counts and members of groups of manifest lines.

    Returns:
        ``groups`` and ``files`` in all, ``across_splits`` and ``several_patients`` (groups), and
        ``members``: for each group its ``images``, ``splits`` and ``patients``.
    """
    members = [_members(manifest, group) for group in sorted(groups)]
    return {
        "groups": len(groups),
        "files": sum(len(group) for group in groups),
        "across_splits": sum(len(set(each["splits"])) > 1 for each in members),
        "several_patients": sum(len(set(each["patients"])) > 1 for each in members),
        "members": members,
    }


def conflicting_labels(manifest: pd.DataFrame, groups: list[list[int]]) -> list[dict[str, Any]]:
    """Groups of one image that carries a finding once and once does not, with the findings."""
    targets = [column for column in manifest if column.startswith("target:")]
    found = []
    for group in groups:
        lines = manifest.iloc[group]
        torn = [c.removeprefix("target:") for c in targets if _torn(lines, c)]
        if torn:
            found.append({**_members(manifest, group), "findings": torn})
    return found


def _torn(lines: pd.DataFrame, target: str) -> bool:
    labelled = lines[target.replace("target:", "labelled:", 1)].to_numpy(bool)
    return len(set(lines[target].to_numpy()[labelled])) > 1


def _members(manifest: pd.DataFrame, group: list[int]) -> dict[str, list[str]]:
    lines = manifest.iloc[group]
    columns = {"images": "image_id", "splits": "split", "patients": "patient_id"}
    return {key: lines[column].tolist() for key, column in columns.items()}


def _pairs(manifest: pd.DataFrame, pairs: list[Pair]) -> list[dict[str, Any]]:
    digest = manifest["sha256"].to_numpy()
    patients = manifest["patient_id"].to_numpy()
    return [
        {
            "images": manifest["image_id"].iloc[[a, b]].tolist(),
            "splits": manifest["split"].iloc[[a, b]].tolist(),
            "same_patient": bool(patients[a] == patients[b]),
            "correlation": correlation,
            "turned": turn,
        }
        for a, b, correlation, turn in pairs
        if digest[a] != digest[b]
    ]
