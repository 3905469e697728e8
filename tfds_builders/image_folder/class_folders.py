"""Sets whose folders are named like the classes, with or without train/ and test/ around them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from tfds_builders.errors import Unreadable
from tfds_builders.image_folder.contents import (
    Contents,
    Entry,
    check_findings,
    is_picture,
    patient_in,
)

_POOLS = {"val": "validation", "valid": "validation"}
_POOLS |= {pool: pool for pool in ("train", "validation", "test")} | {"training": "train"}
_NORMAL = {"normal", "no finding", "nofinding", "healthy", "negative", "control", "controls"}


def read(names: Iterable[str], pattern: re.Pattern | None) -> Contents:
    """Images of a tree ``CLASS/file`` or ``train/CLASS/file``, classes in alphabetical order.

    Two classes of which one means healthy are a binary task; any others are exclusive classes.

    Args:
        names: every file below the folder.
        pattern: finds the patient in a file name; None where patients are unknown.

    Returns:
        The contents, without findings where there are fewer than two classes, or only test
        folders.
    """
    names = sorted(names)
    pooled = any(map(_pool, names))
    placed = {name: place for name in names if (place := _place(name, pooled))}
    holding = {place[1] for name, place in placed.items() if is_picture(name)}
    classes = sorted(holding)
    contents = _empty(classes)
    if not contents.findings or (pooled and "train" not in map(_pool, names)):
        return Contents((), "")
    for name in names:
        if name not in placed or placed[name][1] not in holding:
            if is_picture(name):
                contents.refuse(name, "not in a class folder")
            continue
        pool, folder = placed[name]
        try:
            patient = patient_in(name, pattern)
        except Unreadable as error:
            contents.refuse(name, str(error))
            continue
        findings = tuple(int(folder == finding) for finding in contents.findings)
        contents.entries.append(Entry(name, patient, findings, (1,) * len(findings), pool))
    return contents


def _pool(name: str) -> str:
    parts = name.split("/")
    return _POOLS.get(parts[0].lower(), "") if len(parts) > 2 else ""


def _place(name: str, pooled: bool) -> tuple[str, str] | None:
    """(pool, class) of a file, None where it lies in no class folder."""
    parts = name.split("/")
    if not pooled:
        return ("", parts[0]) if len(parts) > 1 else None
    return (_pool(name), parts[1]) if _pool(name) else None


def _empty(classes: list[str]) -> Contents:
    if len(classes) < 2:
        return Contents((), "")
    check_findings(classes)
    ill = [name for name in classes if not _is_normal(name)]
    if len(classes) == 2 and len(ill) == 1:
        return Contents(tuple(ill), "binary")
    return Contents(tuple(classes), "multiclass")


def _is_normal(name: str) -> bool:
    return re.sub(r"[\s_-]+", " ", name).strip().casefold() in _NORMAL
