"""The rows of a table as a person saved it: its encoding, delimiter and header."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any

from tfds_builders.encodings import NO_TEXT, encoding
from tfds_builders.errors import DatasetError, Unreadable, quoted
from tfds_builders.tarstream import inflate

Row = dict[str, str]

MAX_BYTES = 10**9
"""Of a table: some ten million rows."""
_DELIMITERS = ",;\t|"
_ABOVE = 10
"""Rows in which the header is looked for: a title, or ``sep=;``, may stand above it."""

_HEAD = 100_000
_UNSEEN = dict.fromkeys(map(ord, "\u200b\u200e\ufeff\0"))


def read(path: Path, wanted: Iterable[str]) -> list[tuple[int, Row]]:
    """Number of its last line, and the wanted cells by column, of every row that is not blank.

    Args:
        path: comma, semicolon, tab or bar between columns, UTF-8 or UTF-16, also as ``.gz``.
        wanted: columns that have to be there; blanks around names, and what cannot be seen, are
            no part of them.

    Raises:
        DatasetError: no such text or table, a column is missing or there twice, a quote is never
            closed, or a row has more cells than the header.
    """
    wanted = list(dict.fromkeys(filter(None, wanted)))
    text = _text(path)
    delimiter, above = _layout(text, wanted)
    lines = _lines(path, text, delimiter)[above:]
    header = list(map(_clean, lines[0][1])) if lines else []
    places = _places(path, header, wanted)
    rows = [(number, line) for number, line in lines[1:] if any(map(str.strip, line))]
    for number, line in rows:
        if any(map(str.strip, line[len(header) :])):
            raise DatasetError(
                f"image_folder: {path}, line {number}: there are {len(line)} cells, and the header "
                f"has {len(header)}. A column has no name, or a cell with a {delimiter!r} no "
                "quotes, so that cells would be taken for those of other columns: mend it."
            )
    return [
        (number, {name: _clean(line[k]) if k < len(line) else "" for name, k in places.items()})
        for number, line in rows
    ]


def _text(path: Path) -> str:
    try:
        with inflate(path) as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise DatasetError(
                f"image_folder: {path} holds more than {MAX_BYTES / 1e6:.0f} MB, which is more "
                "than a table of images takes."
            )
        if data[:2] == b"PK" or data[:4] == b"\xd0\xcf\x11\xe0":
            raise DatasetError(
                f"image_folder: {path} is a workbook, not a table of text; save it as CSV UTF-8."
            )
        return data.decode(encoding(data))
    except UnicodeDecodeError as error:
        raise DatasetError(f"image_folder: {path} is {NO_TEXT}.") from error
    except (OSError, Unreadable) as error:
        raise DatasetError(f"image_folder: {path} cannot be read: {error}.") from error


def _layout(text: str, wanted: list[str]) -> tuple[str, int]:
    """The delimiter, and how many rows stand above the header."""
    head = text[:_HEAD]
    for delimiter in _DELIMITERS:
        try:
            rows = list(islice(_reader(head, delimiter), _ABOVE))
        except csv.Error:
            continue
        for above, row in enumerate(rows):
            if {_clean(name) for name in wanted} <= set(map(_clean, row)):
                return delimiter, above
    above = len(head) - len(head.lstrip("\r\n"))
    first = head[above:].split("\n", 1)[0]
    return max(_DELIMITERS, key=first.count), head[:above].count("\n")


def _reader(text: str, delimiter: str, *, strict: bool = False) -> Any:
    source = io.StringIO(text, newline="")
    return csv.reader(source, delimiter=delimiter, skipinitialspace=True, strict=strict)


def _lines(path: Path, text: str, delimiter: str) -> list[tuple[int, list[str]]]:
    """Number and cells of every row, blank ones included."""
    lines: list[tuple[int, list[str]]] = []
    try:
        reader = _reader(text, delimiter, strict=True)
        lines += ((reader.line_num, line) for line in reader)
    except csv.Error as error:
        if "delimiter" in str(error):  # characters behind a closing quote, which do no harm
            reader = _reader(text, delimiter)
            return [(reader.line_num, line) for line in reader]
        last = lines[-1][0] if lines else 0
        raise DatasetError(
            f"image_folder: {path} cannot be read behind line {last}: {error}. Is a quote opened "
            "there that is never closed?"
        ) from error
    return lines


def _clean(cell: str) -> str:
    return unicodedata.normalize("NFC", cell.translate(_UNSEEN)).strip()


def _places(path: Path, header: list[str], wanted: list[str]) -> dict[str, int]:
    """Wanted column -> its number."""
    if missing := [column for column in wanted if _clean(column) not in header]:
        raise DatasetError(
            f"image_folder: {path} has no column {' and no column '.join(map(quoted, missing))}. "
            f"Its columns are {', '.join(map(quoted, header)) or 'none'}."
        )
    if twice := sorted({column for column in wanted if header.count(_clean(column)) > 1}):
        raise DatasetError(
            f"image_folder: {path} has the column {' and '.join(map(quoted, twice))} twice, and "
            "nobody knows which is meant: rename one."
        )
    return {column: header.index(_clean(column)) for column in wanted}
