"""What the published tables say: images with their findings, split lists and boxes."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

from tfds_builders.chestxray14 import table
from tfds_builders.errors import DatasetError

FINDINGS = (
    "Atelectasis",
    "Cardiomegaly",
    "Effusion",
    "Infiltration",
    "Mass",
    "Nodule",
    "Pneumonia",
    "Pneumothorax",
    "Consolidation",
    "Edema",
    "Emphysema",
    "Fibrosis",
    "Pleural_Thickening",
    "Hernia",
)
NO_FINDING = "No Finding"
OLDEST = 120
SIDE = 1024
_VIEWS = ("PA", "AP", "L", "LL", "")
_AGE = re.compile(r"(?P<number>-?[0-9]{1,6})(?:\.0+)?(?P<unit>[YMWD]?)")
_PER_YEAR = {"": 1, "Y": 1, "M": 12, "W": 52, "D": 365}
_MISSING = ("", "nan", "NaN", "NA")


@dataclass(frozen=True, slots=True)
class Entry:
    """One image of a table.

    Attributes:
        image_id: file name.
        patient_id: patient number as text, without leading zeros.
        findings: present ones; empty means No Finding.
        age: years, -1 where unknown.
        sex: ``"F"``, ``"M"`` or ``""``.
        view: ``"PA"``, ``"AP"`` or ``""``.
        age_as_written: the table's own text where the age is impossible, else ``""``.
    """

    image_id: str
    patient_id: str
    findings: frozenset[str]
    age: int = -1
    sex: str = ""
    view: str = ""
    age_as_written: str = ""

    @property
    def only_label(self) -> str:
        """The label of an image that has exactly one, No Finding included; else ``""``."""
        if len(self.findings) > 1:
            return ""
        return next(iter(self.findings), NO_FINDING)


@dataclass(frozen=True, slots=True)
class Box:
    """Where a radiologist saw a finding: left, top, width, height in pixels of 1024 x 1024."""

    image_id: str
    finding: str
    x: float
    y: float
    w: float
    h: float


_COLUMNS = (
    "Image Index",
    "Finding Labels",
    "Patient ID",
    "Patient Age",
    "Patient Gender",
    "View Position",
)


def read_entries(data: bytes, file: str) -> list[Entry]:
    """Images of ``Data_Entry_2017*.csv`` or ``sample_labels.csv``.

    Raises:
        DatasetError: a cell that cannot be understood, or an image listed twice; says where.
    """
    lines = table.read(data, file, _COLUMNS)
    return _unique((_entry(line) for line in lines), file)


def read_small(data: bytes, file: str) -> list[Entry]:
    """Images of one of the teaching subset's tables: a 0/1 column for each finding.

    Raises:
        DatasetError: as for :func:`read_entries`.
    """
    lines = table.read(data, file, ("Image", *FINDINGS, "PatientId"))
    return _unique((_small_entry(line) for line in lines), file)


def read_list(data: bytes, file: str) -> set[str]:
    """File names of ``train_val_list.txt`` or ``test_list.txt``, one a line.

    Raises:
        DatasetError: a line that is no file name, or one that is there twice; says where.
    """
    found: set[str] = set()
    for number, line in enumerate(table.text(data, file).splitlines(), 1):
        name = line.strip()
        if name and not table.IMAGE_ID.fullmatch(name):
            raise DatasetError(f"{file}, line {number}: {name[:80]!r} is no image's file name")
        if name in found:
            raise DatasetError(f"{file}, line {number}: {name} stands there twice")
        found |= {name} - {""}
    return found


def read_boxes(data: bytes, file: str) -> list[Box]:
    """Boxes of ``BBox_List_2017.csv``; its ``Infiltrate`` is the labels' ``Infiltration``.

    Raises:
        DatasetError: a cell that cannot be understood; says where.
    """
    columns = ("Image Index", "Finding Label", "Bbox [x", "y", "w", "h]")
    return [_box(line) for line in table.read(data, file, columns)]


def _unique(entries: Iterable[Entry], file: str) -> list[Entry]:
    found: dict[str, Entry] = {}
    for entry in entries:
        if found.setdefault(entry.image_id, entry) is not entry:
            raise DatasetError(f"{file}: the image {entry.image_id} is listed twice")
    return list(found.values())


def _entry(line: table.Line) -> Entry:
    image_id, patient_id = line.image_id("Image Index", "Patient ID")
    age = _age(line)
    sex, view = line["Patient Gender"], line["View Position"]
    if sex not in ("F", "M", ""):
        raise line.wrong("Patient Gender", "is neither F nor M")
    if view not in _VIEWS:
        raise line.wrong("View Position", "is no projection of this set", _VIEWS)
    impossible = not 0 <= age < OLDEST and line["Patient Age"] not in _MISSING
    return Entry(
        image_id=image_id,
        patient_id=patient_id,
        findings=_findings(line),
        age=age if 0 <= age < OLDEST else -1,
        sex=sex,
        view=view,
        age_as_written=line["Patient Age"] if impossible else "",
    )


def _findings(line: table.Line) -> frozenset[str]:
    labels = line["Finding Labels"].split("|")
    for label in labels:
        if label not in (*FINDINGS, NO_FINDING):
            raise line.wrong("Finding Labels", "is no list of findings", (*FINDINGS, NO_FINDING))
    if len(set(labels)) < len(labels) or (NO_FINDING in labels and len(labels) > 1):
        raise line.wrong("Finding Labels", "contradicts itself")
    return frozenset(labels) - {NO_FINDING}


def _age(line: table.Line) -> int:
    """Whole years, -1 where there is none; may be impossible."""
    text = line["Patient Age"]
    if text in _MISSING:
        return -1
    match = _AGE.fullmatch(text)
    if not match:
        raise line.wrong("Patient Age", "is no age like 58, 058Y, 018M or 005D")
    return int(match["number"]) // _PER_YEAR[match["unit"]]


def _small_entry(line: table.Line) -> Entry:
    image_id, patient_id = line.image_id("Image", "PatientId")
    for finding in FINDINGS:
        if line[finding] not in ("0", "1", "0.0", "1.0"):
            raise line.wrong(finding, "is neither 0 nor 1")
    present = frozenset(f for f in FINDINGS if line[f].startswith("1"))
    return Entry(image_id, patient_id, present)


def _box(line: table.Line) -> Box:
    name, finding = line["Image Index"], line["Finding Label"]
    finding = "Infiltration" if finding == "Infiltrate" else finding
    if not table.IMAGE_ID.fullmatch(name):
        raise line.wrong("Image Index", "is no file name like 00000013_005.png")
    if finding not in FINDINGS:
        raise line.wrong("Finding Label", "is no finding", FINDINGS)
    x, y, w, h = (_pixels(line, column) for column in ("Bbox [x", "y", "w", "h]"))
    if not (w > 0 and h > 0 and x + w <= SIDE and y + h <= SIDE):
        raise line.wrong("Bbox [x", f"begins a box that is not inside {SIDE} x {SIDE} pixels")
    return Box(name, finding, x, y, w, h)


def _pixels(line: table.Line, column: str) -> float:
    try:
        value = float(line[column])
    except ValueError:
        raise line.wrong(column, "is no number") from None
    if not (math.isfinite(value) and value >= 0):
        raise line.wrong(column, "is no place in an image")
    return value
