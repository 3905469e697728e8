"""What both kinds of set end in: findings, images with labels, and what was left out."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from tfds_builders.errors import DatasetError, Unreadable

_PICTURE = re.compile(r"\.(?:png|jpe?g|bmp|gif|tiff?|jp2|webp|pgm|ppm)", re.IGNORECASE)


@dataclass(frozen=True)
class Entry:
    """One image.

    Attributes:
        image: name of the file, ``a/b.png``; identifies the image.
        patient: "" where unknown.
        findings: 0 or 1 for each finding.
        labelled: 0 or 1 for each finding.
        pool: ``"train"``, ``"validation"`` or ``"test"`` where the set has its own split, else "".
    """

    image: str
    patient: str
    findings: tuple[int, ...]
    labelled: tuple[int, ...]
    pool: str = ""


@dataclass
class Contents:
    """A set as it was found.

    Attributes:
        findings: names of the F findings.
        kind: ``"binary"``, ``"multilabel"`` or ``"multiclass"``.
        entries: the images.
        refused: ``{"file", "reason"}`` of what was left out.
    """

    findings: tuple[str, ...]
    kind: str
    entries: list[Entry] = field(default_factory=list)
    refused: list[dict] = field(default_factory=list)

    def refuse(self, file: str, reason: str) -> None:
        """Leave a file out, and say why; bytes that are no text are shown escaped."""
        shown = file.encode(errors="backslashreplace").decode()
        self.refused.append({"file": shown, "reason": reason})


def is_picture(name: str) -> bool:
    """True for file names that promise an image."""
    return bool(_PICTURE.fullmatch(PurePosixPath(name).suffix))


def patient_in(name: str, pattern: re.Pattern | None) -> str:
    """The patient that a file name tells, "" without a pattern.

    Raises:
        Unreadable: the pattern is not found, or its group is empty.
    """
    if pattern is None:
        return ""
    match = pattern.search(PurePosixPath(name).name)
    if not match or not match[1]:
        raise Unreadable("the patient pattern is not found in its name")
    return match[1]


def check_findings(names: Iterable[str]) -> tuple[str, ...]:
    """The names of findings, if they can stand in tables.

    Raises:
        DatasetError: one is empty, longer than 60 characters or not printable, or two differ
            only in case.
    """
    names = tuple(names)
    for name in names:
        if not (name.strip() and name.isprintable() and len(name) <= 60):
            raise DatasetError(
                f"image_folder: {name!r} cannot be the name of a finding; rename it."
            )
    if len({name.casefold() for name in names}) < len(names):
        raise DatasetError(f"image_folder: two findings have one name: {', '.join(names)}.")
    return names
