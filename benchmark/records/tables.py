"""Tables in CSV files that other hands may have touched: read in bounded memory, or refused."""

from __future__ import annotations

import gzip
import io
import stat
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pandas import DataFrame

LARGEST = 1_000_000_000
"""Bytes that are read at most, compressed or not; predictions of a million images are a tenth of it
for a finding or two, half of it for fourteen."""
RATIO, SMALL = 200, 1 << 26
"""Nothing of more than ``SMALL`` bytes was compressed to less than ``1 / RATIO`` of its size."""
MOST_COLUMNS, LONGEST = 1000, 300
"""Columns of a table, and characters of the name of one."""
_PIECE = 1 << 22
_GZIP = b"\x1f\x8b"


class TableError(Exception):
    """What is wrong with a table, in words; who reads it names the file."""


def file_bytes(path: Path, most: int | None = None) -> bytes:
    """The bytes of a file.

    Args:
        path: the file.
        most: bytes that are read; None for :data:`LARGEST`.

    Raises:
        TableError: it is too large, no regular file, or cannot be read.
        FileNotFoundError: it is not there.
    """
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):  # a device or a pipe may never end
            raise TableError("cannot be read (not a regular file)")
        check_size(found.st_size, found.st_size, most)
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
        TableError: it is none, is damaged, or holds more than :func:`check_size` allows; no more
            than that is decompressed.
    """
    pieces, size = [], 0
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
            while piece := file.read(_PIECE):
                size += len(piece)
                check_size(size, len(data))
                pieces.append(piece)
    except (OSError, EOFError, zlib.error) as error:
        raise TableError(f"not a readable gzip file ({error})") from None
    return b"".join(pieces)


def table(text: bytes, *, as_text: Iterable[str]) -> DataFrame:
    """The table in a CSV text. Empty cells stay empty text.

    Args:
        text: UTF-8.
        as_text: columns whose cells are taken as they are written.

    Raises:
        TableError: it is no CSV text, two columns share a name, or a line has too many cells.
    """
    import pandas as pd

    try:
        header = pd.read_csv(
            io.BytesIO(text), header=None, nrows=1, dtype=str, keep_default_na=False
        )
        names = header.iloc[0].tolist()
        refuse_repeated(names)
        frame = pd.read_csv(
            io.BytesIO(text),
            header=0,
            names=names,
            dtype={name: str for name in as_text if name in names},
            keep_default_na=False,
            low_memory=False,
        )
    except (ValueError, OverflowError) as error:  # what pandas raises is one of these
        raise TableError(f"not a readable CSV table ({error})") from None
    if not isinstance(frame.index, pd.RangeIndex):  # pandas takes what is too much for an index
        raise TableError(f"lines have more cells than the header, which has {len(names)}")
    return frame


def check_size(size: int, compressed: int, most: int | None = None) -> None:
    """Raise a TableError for more bytes than are read of a file, or than it can honestly hold."""
    most = most or LARGEST
    if size > most:
        raise TableError(f"holds more than {most / 1e9:.2g} GB, which no file of its kind does")
    if size > SMALL and size > RATIO * compressed:
        raise TableError(
            f"holds more than {RATIO} times its own size, which no table of predictions does"
        )


def check_names(names: list[str]) -> None:
    """Raise a TableError for too many columns, one with a long name, or two of one name."""
    if len(names) > MOST_COLUMNS:
        raise TableError(f"has {len(names)} columns, at most {MOST_COLUMNS} are read")
    if long := [name for name in names if len(name) > LONGEST]:
        raise TableError(
            f"a column's name has {len(long[0])} characters, at most {LONGEST} are read: "
            f"{long[0][:40]!r}..."
        )
    refuse_repeated(names)


def refuse_repeated(names: list[str]) -> None:
    """Raise a TableError where two columns have one name."""
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise TableError(f"more than one column is named {repeated[0]!r}")


@dataclass(frozen=True)
class Limits:
    """What is read of a table at most.

    Attributes:
        lines: of it.
        characters: of an id or of another text.
        why: what follows the number of lines where they are too many, as ", the set has 7 images".
    """

    lines: int
    characters: int = LONGEST
    why: str = ""

    @classmethod
    def of_images(cls, images: int, characters: int = LONGEST) -> Limits:
        """Of a line for each image; up to twice as many, so that one that comes twice is named."""
        return cls(2 * images, characters, f", the data set has {images} images")

    def check_lines(self, lines: int) -> None:
        """Raise a TableError for too many lines."""
        if lines > self.lines:
            raise TableError(f"has {lines} lines or more{self.why}")

    def check_text(self, longest: int, where: str = "") -> None:
        """Raise a TableError for a text that is too long; ``where`` begins it."""
        if longest > self.characters:
            raise TableError(f"{where}texts of more than {self.characters} characters")
