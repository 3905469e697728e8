"""Sets of images with a table: a row an image, columns named by the person."""

from __future__ import annotations

import csv
import io
import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from tfds_builders.errors import DatasetError, Unreadable
from tfds_builders.image_folder.contents import (
    Contents,
    Entry,
    check_findings,
    is_picture,
    patient_in,
)
from tfds_builders.image_folder.options import Options

_PRESENT = {"1", "1.0", "true", "yes", "positive"}
_ABSENT = {"0", "0.0", "false", "no", "negative"}
_UNLABELLED = {"", "-1", "-1.0", "nan", "na", "n/a", "none", "uncertain"}


def read(
    path: Path, names: Iterable[str], options: Options, pattern: re.Pattern | None
) -> Contents:
    """Images that a table names; what fits no file, and files without a row, are refused.

    A name from the table is only ever looked up among the files that are there: as a path below
    the folder, as a file name, or as a file name without its extension.

    Args:
        path: the table: comma, semicolon or tab between columns, UTF-8.
        names: every file below the folder.
        options: names of the columns.
        pattern: finds the patient in a file name; None where a column has it, or nothing.

    Raises:
        DatasetError: the table cannot be read, or has no such column.
    """
    findings = check_findings(options.finding_columns)
    contents = Contents(findings, "binary" if len(findings) == 1 else "multilabel")
    places = _places(names)
    rows: dict[str, list[tuple[int, Entry]]] = defaultdict(list)
    named: set[str] = set()
    for number, row in _rows(path, options):
        try:
            image = _find(row[options.image_column].strip(), places)
            named.add(image)
            entry = _entry(image, row, options, pattern)
        except Unreadable as error:
            contents.refuse(f"{path.name}, line {number}", str(error))
            continue
        rows[image].append((number, entry))
    for image, several in rows.items():
        _keep_one(contents, path.name, image, several)
    for name in sorted(set(names) - named):
        if is_picture(name):
            contents.refuse(name, f"no row of {path.name} names it")
    return contents


def _rows(path: Path, options: Options) -> list[tuple[int, dict[str, str]]]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
        header = text.split("\n", 1)[0]
        delimiter = max(",;\t", key=header.count)
        reader = csv.DictReader(
            io.StringIO(text, newline=""), delimiter=delimiter, restkey="", restval=""
        )
        rows = [(reader.line_num, row) for row in reader]
    except UnicodeDecodeError as error:
        raise DatasetError(f"image_folder: {path} is no UTF-8 text; save it as such.") from error
    except (OSError, csv.Error) as error:
        raise DatasetError(f"image_folder: {path} cannot be read: {error}.") from error
    columns = reader.fieldnames or ()
    wanted = [options.image_column, options.patient_column, *options.finding_columns]
    missing = [column for column in wanted if column and column not in columns]
    if missing:
        raise DatasetError(
            f"image_folder: {path} has no column {' and no column '.join(map(repr, missing))}. "
            f"Its columns are {', '.join(columns) or 'none'}."
        )
    return rows


def _places(names: Iterable[str]) -> dict[str, list[str]]:
    """Every way to name a file -> the files it may be; the whole path names one only."""
    places: dict[str, list[str]] = defaultdict(list)
    for name in names:
        path = PurePosixPath(name)
        for way in {path.name, path.stem} if is_picture(name) else ():
            places[way].append(name)
    places.update({name: [name] for name in names})
    return places


def _find(said: str, places: dict[str, list[str]]) -> str:
    found = places.get(said.replace("\\", "/").removeprefix("./"), [])
    if not found:
        raise Unreadable(f"there is no file {said!r}")
    if len(found) > 1:
        raise Unreadable(f"{said!r} may be {' or '.join(sorted(found)[:3])}; give the path")
    return found[0]


def _entry(image: str, row: dict[str, str], options: Options, pattern: re.Pattern | None) -> Entry:
    values = [_value(row, column) for column in options.finding_columns]
    if not any(labelled for _, labelled in values):
        raise Unreadable(f"no finding of {image} is labelled")
    if options.patient_column:
        patient = row[options.patient_column].strip()
        if not patient:
            raise Unreadable(f"no patient is given for {image}")
    else:
        patient = patient_in(image, pattern)
    findings, labelled = zip(*values, strict=True)
    return Entry(image, patient, findings, labelled)


def _value(row: dict[str, str], column: str) -> tuple[int, int]:
    """(finding, labelled) of one cell."""
    said = row[column].strip().casefold()
    if said in _UNLABELLED:
        return 0, 0
    if said not in _PRESENT | _ABSENT:
        raise Unreadable(f"{column} is {row[column]!r}, which is neither 1 nor 0 nor empty")
    return int(said in _PRESENT), 1


def _keep_one(contents: Contents, table: str, image: str, several: list[tuple[int, Entry]]) -> None:
    (_, first), *others = several
    if any(entry != first for _, entry in others):
        lines = ", ".join(str(number) for number, _ in several)
        contents.refuse(image, f"lines {lines} of {table} disagree about it")
        return
    contents.entries.append(first)
    for number, _ in others:
        contents.refuse(f"{table}, line {number}", f"{image} has a row already")
