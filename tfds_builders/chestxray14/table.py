"""A published CSV file, read strictly: what is not as published is named, nothing is guessed."""

from __future__ import annotations

import csv
import difflib
import io
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from tfds_builders.errors import DatasetError

IMAGE_ID = re.compile(r"(?P<patient>[0-9]{8})_[0-9]{3}\.png")


@dataclass(frozen=True)
class Line:
    """One line of a table.

    Attributes:
        file: name of the table.
        number: line in the file, from 1.
        cells: column name to text, blanks around it dropped.
    """

    file: str
    number: int
    cells: dict[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells[column]

    def wrong(self, column: str, why: str, known: Collection[str] = ()) -> DatasetError:
        """Error about one cell; ``known`` are the values that would have been understood."""
        value = self.cells[column]
        near = difflib.get_close_matches(value, known, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        return DatasetError(
            f"{self.file}, line {self.number}, column {column!r}: {value[:80]!r} {why}{hint}"
        )

    def image_id(self, column: str, patient_column: str) -> tuple[str, str]:
        """File name and patient, which have to agree, as they do in all of the published set.

        Raises:
            DatasetError: no name of the published kind, or the name is another patient's.
        """
        image_id, patient_id = self[column], self[patient_column]
        match = IMAGE_ID.fullmatch(image_id)
        if not match:
            raise self.wrong(column, "is no file name like 00000013_005.png")
        if not re.fullmatch("[0-9]{1,8}", patient_id):
            raise self.wrong(patient_column, "is no patient number")
        if int(match["patient"]) != int(patient_id):
            raise self.wrong(patient_column, f"contradicts the image {image_id}")
        # 1 and 00000001 must not become two patients.
        return image_id, str(int(patient_id))


def read(data: bytes, file: str, required: Collection[str]) -> Iterator[Line]:
    """Lines of a CSV file.

    The header's ``OriginalImage[Width,Height]`` is a name with a comma in it, quoted in some
    copies and not in others: both are understood as the two columns that the lines have.

    Args:
        data: content of the file, UTF-8.
        file: its name, for messages.
        required: columns that have to be there.

    Raises:
        DatasetError: no UTF-8 text, no CSV, columns missing or doubled, a line of another length,
            no lines at all; says where.
    """
    reader = csv.reader(io.StringIO(text(data, file), newline=""), strict=True)
    try:
        columns = _columns(next(reader, []), file, required)
        empty = True
        for cells in reader:
            if any(cells):
                empty = False
                yield _line(file, reader.line_num, columns, cells)
    except csv.Error as error:
        raise DatasetError(f"{file}, line {reader.line_num}: {error}") from error
    if empty:
        raise DatasetError(f"{file} holds no lines below its header.")


def text(data: bytes, file: str) -> str:
    """Content of a text file.

    Raises:
        DatasetError: it is no UTF-8 text; says where.
    """
    try:
        decoded = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DatasetError(
            f"{file}, line {line}: not UTF-8 text ({error.reason}); get the file as published."
        ) from error
    if "\0" in decoded:
        line = decoded.count("\n", 0, decoded.index("\0")) + 1
        raise DatasetError(f"{file}, line {line}: holds a zero byte, which no text has")
    return decoded


def _columns(header: list[str], file: str, required: Collection[str]) -> list[str]:
    _refuse_line_ends(header, file, 1)
    columns = [name.strip() for cell in header for name in cell.split(",")]
    for name in required:
        if columns.count(name) != 1:
            problem = "stands there twice" if name in columns else "is missing"
            near = difflib.get_close_matches(name, columns, n=1)
            hint = f"; did you mean {near[0]!r}?" if near and name not in columns else "."
            raise DatasetError(
                f"{file}, line 1: the column {name!r} {problem}{hint} Found, between commas: "
                f"{', '.join(filter(None, columns))[:300] or 'nothing'}. The file has to be as it "
                "was published: get it again if another program has written it."
            )
    return columns


def _line(file: str, number: int, columns: list[str], cells: list[str]) -> Line:
    # Some tables end their header or their lines in commas that mean nothing.
    while len(cells) > len(columns) and not cells[-1]:
        cells.pop()
    if len(cells) > len(columns) or any(columns[len(cells) :]):
        raise DatasetError(
            f"{file}, line {number}: {len(cells)} values for {len(columns)} columns: "
            f"{','.join(cells)[:80]!r}"
        )
    _refuse_line_ends(cells, file, number)
    return Line(file, number, dict(zip(columns, (cell.strip() for cell in cells), strict=False)))


def _refuse_line_ends(cells: list[str], file: str, number: int) -> None:
    # One stray quotation mark would swallow all lines up to the next one.
    if any("\n" in cell or "\r" in cell for cell in cells):
        raise DatasetError(f"{file}, line {number}: a quoted value runs over the end of a line")
