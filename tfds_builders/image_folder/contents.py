"""What both kinds of set end in: findings, images with labels, and what was left out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from tfds_builders.errors import DatasetError, quoted
from tfds_builders.image_folder.names import spelling
from tfds_builders.ingest_report import refusal

Box = tuple[str, float, float, float, float]
"""Finding, left, top, width and height in pixels of the file."""


@dataclass(frozen=True)
class Entry:
    """One image.

    Attributes:
        image: name of the file, ``a/b.png``; identifies the image.
        patient: "" where unknown.
        findings: 0 or 1 for each finding.
        labelled: 0 or 1 for each finding.
        pool: ``"train"``, ``"validation"`` or ``"test"`` where the set has its own split, else "".
        age: years, -1 where unknown.
        sex: ``"F"``, ``"M"`` or "".
        view: ``"PA"``, ``"AP"``, ``"L"`` or another word; "" where unknown.
        boxes: where somebody saw a finding.
    """

    image: str
    patient: str
    findings: tuple[int, ...]
    labelled: tuple[int, ...]
    pool: str = ""
    age: int = -1
    sex: str = ""
    view: str = ""
    boxes: tuple[Box, ...] = ()


@dataclass
class Contents:
    """A set as it was found.

    Attributes:
        findings: names of the F findings.
        kind: ``"binary"``, ``"multilabel"`` or ``"multiclass"``.
        entries: the images.
        refused: ``{"file", "reason"}`` of what was left out.
        notes: what was taken for what, to be told.
    """

    findings: tuple[str, ...]
    kind: str
    entries: list[Entry] = field(default_factory=list)
    refused: list[dict] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def present(self, entry: Entry) -> list[str]:
        """The findings that an image has."""
        return [f for f, yes in zip(self.findings, entry.findings, strict=True) if yes]

    def refuse(self, file: str, reason: str) -> None:
        """Leave a file out, and say why."""
        self.refused.append(refusal(file, reason))


def check_findings(names: Iterable[str]) -> tuple[str, ...]:
    """The names of findings, if they can stand in tables.

    Raises:
        DatasetError: one is empty, longer than 60 characters or not printable, or two are
            spellings of one word.
    """
    names = tuple(names)
    for name in names:
        if not (name.strip() and name.isprintable() and len(name) <= 60):
            raise DatasetError(
                f"image_folder: {quoted(name)} cannot be the name of a finding; rename it."
            )
    if len({spelling(name) for name in names}) < len(names):
        raise DatasetError(f"image_folder: two findings have one name: {', '.join(names)}.")
    return names
