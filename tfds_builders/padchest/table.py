"""The published table: 36 columns, plain or gzipped, read line by line and checked row by row.

Every line ends as a row or as a refusal with its reason, whatever is in the file: a stray quote
costs its own line, not the rest of the table. Only columns that are used have to be there, so the
two spellings of ``labelCUIS``/``LabelCUIS`` and ``ExposureTime``/``ExposureTime_DICOM`` are both
read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tfds_builders.errors import DatasetError
from tfds_builders.padchest import labels, lines
from tfds_builders.shapes import Shape, shape

COLUMNS = (
    "ImageID",
    "ImageDir",
    "StudyDate_DICOM",
    "PatientID",
    "PatientBirth",
    "PatientSex_DICOM",
    "Projection",
    "PhotometricInterpretation_DICOM",
    "MethodLabel",
    "Labels",
)
PROJECTIONS = ("PA", "AP", "AP_horizontal", "L", "COSTAL", "EXCLUDE", "UNK")
METHODS = ("Physician", "RNN_model")
_SHAPE = {"width": "Columns_DICOM", "height": "Rows_DICOM", "bits": "BitsStored_DICOM"}
"""Columns that may be missing."""
_PHOTOMETRIC = ("MONOCHROME1", "MONOCHROME2")
_OLDEST = 120

_FILE = re.compile(r"[^/\\\x00-\x1f\ufffd]+\.png", re.IGNORECASE)
_ID = re.compile(r"[0-9A-Za-z_-]+")
_ROUNDED = re.compile(r"[0-9]+[.,][0-9]*([eE][+]?[0-9]+)?")
_YEAR = re.compile(r"([12][0-9]{3})([.]0*)?")
_DATE = re.compile(r"([12][0-9]{3})[-/]?[0-9]{2}[-/]?[0-9]{2}([.]0*)?")


@dataclass(frozen=True, slots=True)
class Row:
    """One image as the table has it.

    Attributes:
        image_id: file name.
        folder: ``ImageDir``, the number of its zip file; "" where missing.
        patient_id: text of up to 39 digits.
        age: whole years, study year minus birth year; -1 where unknown or impossible.
        sex: "F", "M" or "".
        projection: one of ``PROJECTIONS``; a missing one is "UNK".
        inverted: True for MONOCHROME1, where low values are bright.
        method: one of ``METHODS``.
        labels: whole labels in lower case.
    """

    image_id: str
    folder: str
    patient_id: str
    age: int
    sex: str
    projection: str
    inverted: bool
    method: str
    labels: frozenset[str]


@dataclass(frozen=True, slots=True)
class Refused:
    """A line that is no usable row.

    Attributes:
        file: the image, or which line, where that cannot be told.
        reason: why.
    """

    file: str
    reason: str


class _Bad(Exception):
    """One row cannot be used; the text says why."""


def read(path: Path) -> Iterator[Row | Refused]:
    """Rows of the table in order; of an image listed twice the first row counts.

    Args:
        path: the CSV file, gzipped or not (told apart by its content).

    Raises:
        DatasetError: the file cannot be read to its end, or has no such columns.
    """
    records = lines.records(path)
    _, first = next(records, (1, None))
    header = first or []
    places = _places(path, header)
    seen: set[str] = set()
    for number, fields in records:
        try:
            if fields is None:
                raise _Bad("a quote that is not closed, or a broken line")
            if len(fields) != len(header):
                raise _Bad(f"{len(fields)} fields, the header has {len(header)}")
            cells = {name: fields[place].strip() for name, place in places.items()}
            yield _row(cells, seen)
        except (_Bad, labels.Malformed) as error:
            place = places["ImageID"]
            name = fields[place].strip() if fields and len(fields) == len(header) else ""
            named = _FILE.fullmatch(name)
            line = f"line {number} of {path.name}"
            yield Refused(name if named else line, f"{error} ({line})" if named else str(error))


def read_shapes(path: Path) -> dict[str, Shape]:
    """Image -> its original shape, where its line says it; of an image listed twice the first.

    Raises:
        DatasetError: as :func:`read`.
    """
    records = lines.records(path)
    _, header = next(records, (1, None))
    names = [name.strip() for name in header or ()]
    place = _places(path, names)["ImageID"]
    found: dict[str, Shape] = {}
    for _, fields in records:
        if fields is None or len(fields) != len(names):
            continue
        cells = dict(zip(names, fields, strict=True))
        if told := shape(**{name: cells.get(column, "") for name, column in _SHAPE.items()}):
            found.setdefault(fields[place].strip(), told)
    return found


def _row(cells: dict[str, str], seen: set[str]) -> Row:
    image_id = cells["ImageID"]
    if not _FILE.fullmatch(image_id):
        raise _Bad(f"ImageID {image_id[:60]!r} is not the name of a PNG file")
    if image_id in seen:
        raise _Bad("listed twice, the first row counts")
    photometric = _vocabulary(cells, "PhotometricInterpretation_DICOM", _PHOTOMETRIC, "MONOCHROME2")
    row = Row(
        image_id=image_id,
        folder=_present(cells["ImageDir"]).removesuffix(".0"),
        patient_id=_patient(cells["PatientID"]),
        age=_age(cells["StudyDate_DICOM"], cells["PatientBirth"]),
        sex=cells["PatientSex_DICOM"] if cells["PatientSex_DICOM"] in ("F", "M") else "",
        projection=_vocabulary(cells, "Projection", PROJECTIONS, "UNK"),
        inverted=photometric == "MONOCHROME1",
        method=_vocabulary(cells, "MethodLabel", METHODS, ""),
        labels=labels.parse(cells["Labels"]),
    )
    seen.add(image_id)  # only now: a broken first row does not shut out a good second one
    return row


def _present(text: str) -> str:
    return "" if text.lower() in labels.MISSING else text


def _vocabulary(cells: dict[str, str], column: str, words: tuple[str, ...], missing: str) -> str:
    value = _present(cells[column]) or missing
    if value not in words:
        raise _Bad(f"{column} {value[:60]!r} is not one of {', '.join(words)}")
    return value


def _patient(text: str) -> str:
    if _ROUNDED.fullmatch(text):
        raise _Bad(f"PatientID {text[:60]} has lost digits; get the table as published")
    if not _present(text) or not _ID.fullmatch(text):
        raise _Bad(f"PatientID {text[:60]!r} is none")
    return text


def _age(study: str, birth: str) -> int:
    study_year, birth_year = _DATE.fullmatch(study), _YEAR.fullmatch(birth)
    if not (study_year and birth_year):
        return -1
    age = int(study_year[1]) - int(birth_year[1])
    return age if 0 <= age <= _OLDEST else -1


def _places(path: Path, header: list[str] | None) -> dict[str, int]:
    """Where each needed column is."""
    names = [name.strip() for name in header or ()]
    missing = [name for name in COLUMNS if names.count(name) != 1]
    if missing:
        raise DatasetError(
            f"padchest: {path} has no column {', '.join(missing)} (or more than one), so it is not "
            f"the published table. Its first line has: {', '.join(names)[:400] or 'nothing'}."
        )
    return {name: names.index(name) for name in COLUMNS}
