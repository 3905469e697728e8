"""The rows of a table as a person saved it: its encoding, delimiter and header."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path

from tfds_builders.errors import DatasetError

Row = dict[str, str]


def read(path: Path, wanted: Iterable[str]) -> list[tuple[int, Row]]:
    """Number of its last line, and cells by column, of every row that is not blank.

    Args:
        path: comma, semicolon or tab between columns, UTF-8 or, with its mark, UTF-16.
        wanted: columns that have to be there; names with blanks around them are met.

    Raises:
        DatasetError: no such text or table, a column is missing, or two of one name are wanted.
    """
    try:
        text = _text(path)
        first = text.split("\n", 1)[0]
        delimiter = max(",;\t", key=first.count)
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        lines = [(reader.line_num, line) for line in reader]
    except UnicodeDecodeError as error:
        raise DatasetError(
            f"image_folder: {path} is no UTF-8 text; save it as such (spreadsheets: CSV UTF-8)."
        ) from error
    except (OSError, csv.Error) as error:
        raise DatasetError(f"image_folder: {path} cannot be read: {error}.") from error
    header = [cell.strip() for cell in lines[0][1]] if lines else []
    _check(path, header, list(filter(None, wanted)))
    return [
        (number, dict(zip(header, [*line, *[""] * len(header)], strict=False)))
        for number, line in lines[1:]
        if any(map(str.strip, line))
    ]


def _text(path: Path) -> str:
    data = path.read_bytes()
    if data[:2] == b"PK":
        raise DatasetError(
            f"image_folder: {path} is a workbook, not a table of text; save it as CSV UTF-8."
        )
    # "Unicode text" of a spreadsheet is UTF-16 with tabs.
    return data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")


def _check(path: Path, header: list[str], wanted: list[str]) -> None:
    if missing := [column for column in wanted if column not in header]:
        raise DatasetError(
            f"image_folder: {path} has no column {' and no column '.join(map(repr, missing))}. "
            f"Its columns are {', '.join(header) or 'none'}."
        )
    if twice := sorted({column for column in wanted if header.count(column) > 1}):
        raise DatasetError(
            f"image_folder: {path} has the column {' and '.join(map(repr, twice))} twice, and "
            "nobody knows which is meant: rename one."
        )
