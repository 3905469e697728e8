"""Columns of a file that other hands made: CSV, gzipped CSV, Parquet or NPZ.

Which of these it is, its first bytes say; what stands between the cells of CSV, its first line.
Sizes, ratios of compression, number and names of the columns are looked at before any is read.
Nothing in a file is executed.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from benchmark.records.npz_columns import NpzColumns
from benchmark.records.tables import Limits, TableError, check_names, file_bytes, is_gzip, unzipped
from tfds_builders.encodings import NO_TEXT, as_utf8

if TYPE_CHECKING:
    from pandas import DataFrame

CELLS = 1 << 20
"""Of a CSV file that are in memory at a time; only the columns that count are kept."""
HEADER = 1 << 20
"""Bytes of its first line at most."""
DELIMITERS = ",;\t|"
"""Between cells; the first counts that gives the header more than one."""


class Format(Protocol):
    """A file of columns, of which the names are known and the rest is not read yet."""

    names: list[str]

    def read(self, names: list[str], limits: Limits) -> dict[str, np.ndarray]:
        """(N,) text or numbers of these columns; a TableError where they are beyond the limits."""


@dataclass(frozen=True)
class Columns:
    """Equally long columns, in the order they were chosen in.

    Attributes:
        values: (N,) text or numbers by name.
        word, first: what a line is called and the number of the first one.
    """

    values: dict[str, np.ndarray]
    word: str
    first: int


def read_columns(
    path: Path, key: str, choose: Callable[[list[str]], list[str]], limits: Limits
) -> Columns:
    """Read some columns of a file.

    Args:
        path: the file.
        key: a column that it should have, by which the separator is known.
        choose: says of the names of all columns which of them are read.
        limits: of what is read.

    Raises:
        TableError: it cannot be read, or is larger than can be.
        FileNotFoundError: it is not there.
    """
    data = file_bytes(path)
    file = _opened(data, key)
    values = file.read(choose(file.names), limits)
    if len({len(column) for column in values.values()}) > 1:
        told = ", ".join(f"{len(column)} of {name}" for name, column in values.items())
        raise TableError(f"its columns are not equally long: {told}")
    return Columns(values, "line", 2) if isinstance(file, _Csv) else Columns(values, "entry", 1)


def _opened(data: bytes, key: str) -> Format:
    if data.startswith(b"PK"):
        return NpzColumns(data)
    if data.startswith(b"PAR1"):
        from benchmark.records.parquet_columns import ParquetColumns  # PyArrow takes a while

        return ParquetColumns(data)
    return _Csv(csv_bytes(data), key)


def csv_bytes(data: bytes) -> bytes:
    """The text in the bytes of a CSV file, plain or gzipped, as UTF-8 where it is any text.

    Raises:
        TableError: it is a gzip file that cannot be read, or UTF-16 that is none.
    """
    try:
        return as_utf8(unzipped(data) if is_gzip(data) else data)
    except UnicodeDecodeError:
        raise TableError(NO_TEXT) from None


class _Csv:
    def __init__(self, text: bytes, key: str):
        self._text = text
        head = text[:HEADER].decode("utf-8-sig", errors="replace")
        try:
            headers = {each: _first_line(head, each) for each in DELIMITERS}
        except csv.Error as error:
            raise TableError(f"not a readable CSV table ({error})") from None
        several = [each for each in DELIMITERS if len(headers[each]) > 1]
        self._delimiter = next((each for each in several if key in headers[each]), ",")
        self.names = headers[self._delimiter]
        if b"\0" in text[:HEADER] or not any(self.names):
            raise TableError(
                "neither CSV, plain or gzipped, nor Parquet nor NPZ. CSV is text in UTF-8 whose "
                "first line names the columns; spreadsheets save it as CSV UTF-8"
            )
        if any("\N{REPLACEMENT CHARACTER}" in name for name in self.names):
            raise TableError(NO_TEXT)
        check_names(self.names)

    def read(self, names: list[str], limits: Limits) -> dict[str, np.ndarray]:
        import pandas as pd

        pieces = []
        try:
            for frame in self._frames():
                if not isinstance(frame.index, pd.RangeIndex):  # pandas makes an index of the rest
                    raise TableError(
                        f"lines have more cells than the header, which has {len(self.names)}"
                    )
                pieces.append(frame[names])
                limits.check_lines(frame.index.stop)
        except UnicodeDecodeError:
            raise TableError(NO_TEXT) from None
        except (ValueError, OverflowError) as error:  # what pandas raises is one of these
            raise TableError(f"not a readable CSV table ({error})") from None
        whole = pd.concat(pieces) if pieces else pd.DataFrame(columns=names, dtype=str)
        return {name: _text(name, whole[name].to_numpy(object), limits) for name in names}

    def _frames(self) -> Iterator[DataFrame]:
        import pandas as pd

        return pd.read_csv(
            io.BytesIO(self._text),
            sep=self._delimiter,
            header=0,
            names=self.names,
            dtype=str,
            keep_default_na=False,
            low_memory=False,
            encoding="utf-8-sig",
            chunksize=max(1, CELLS // len(self.names)),
        )


def _first_line(head: str, delimiter: str) -> list[str]:
    return next(csv.reader(io.StringIO(head, newline=""), delimiter=delimiter), [])


def _text(name: str, cells: np.ndarray, limits: Limits) -> np.ndarray:
    """Cells as fixed-width text, which is as wide as the longest of them."""
    limits.check_text(max((len(str(cell)) for cell in cells), default=0), f"{name[:40]}: ")
    return cells.astype(str)
