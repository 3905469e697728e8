"""Tables in CSV files that other hands may have touched: read in bounded memory, or refused."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pandas import DataFrame

LARGEST = 2_000_000_000
"""Bytes of text that are read at most; predictions of a million images are a tenth of it."""
_PIECE = 1 << 22
_GZIP = b"\x1f\x8b"


class TableError(Exception):
    """What is wrong with a table, in words; who reads it names the file."""


def file_bytes(path: Path) -> bytes:
    """The bytes of a file.

    Raises:
        TableError: it is too large, or cannot be read.
        FileNotFoundError: it is not there.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise _too_large()
        return path.read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise TableError(f"cannot be read ({error.strerror or error})") from None


def is_gzip(data: bytes) -> bool:
    """Whether bytes begin as a gzip file does."""
    return data.startswith(_GZIP)


def unzipped(data: bytes) -> bytes:
    """The content of a gzip file.

    Raises:
        TableError: it is none, is damaged, or holds more than :data:`LARGEST` bytes; no more than
            these are decompressed.
    """
    pieces, size = [], 0
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
            while piece := file.read(_PIECE):
                size += len(piece)
                if size > LARGEST:
                    raise _too_large()
                pieces.append(piece)
    except (OSError, EOFError, zlib.error) as error:
        raise TableError(f"not a readable gzip file ({error})") from None
    return b"".join(pieces)


def table(text: bytes, *, as_text: Iterable[str] | None = None) -> DataFrame:
    """The table in a CSV text. Empty cells stay empty text.

    Args:
        text: UTF-8.
        as_text: columns whose cells are taken as they are written; None for all.

    Raises:
        TableError: it is no CSV text, two columns share a name, or a line has too many cells.
    """
    import pandas as pd

    try:
        header = pd.read_csv(
            io.BytesIO(text), header=None, nrows=1, dtype=str, keep_default_na=False
        )
        names = header.iloc[0].tolist()
        _refuse_repeated(names)
        frame = pd.read_csv(
            io.BytesIO(text),
            header=0,
            names=names,
            dtype=str if as_text is None else {name: str for name in as_text if name in names},
            keep_default_na=False,
            low_memory=False,
        )
    except (ValueError, OverflowError) as error:  # what pandas raises is one of these
        raise TableError(f"not a readable CSV table ({error})") from None
    if not isinstance(frame.index, pd.RangeIndex):  # pandas takes what is too much for an index
        raise TableError(f"lines have more cells than the header, which has {len(names)}")
    return frame


def _refuse_repeated(names: list[str]) -> None:
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise TableError(f"more than one column is named {repeated[0]!r}")


def _too_large() -> TableError:
    return TableError(f"holds more than {LARGEST / 1e9:g} GB, which no table of predictions does")
