"""A CSV file record by record, plain or gzipped, in which damage stays where it is."""

from __future__ import annotations

import csv
import io
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from tfds_builders.errors import DatasetError, Unreadable
from tfds_builders.tarstream import inflate

_LINES_OF_A_RECORD = 20
_LONGEST_LINE = 2**17


def records(path: Path) -> Iterator[tuple[int, list[str] | None]]:
    """Line number and fields of each record; None for a line that does not parse.

    A record may go over several lines inside quotes. One that does not close within a few lines
    gives up its first line only, so that a stray quote does not swallow what follows. Blank lines
    are left out.

    Raises:
        DatasetError: the file cannot be read to its end.
    """
    lines = _lines(path)
    waiting: deque[str] = deque()
    number = 1
    while waiting or (line := next(lines, "")):
        if not waiting:
            waiting.append(line)
        taken, fields = _take(waiting, lines)
        if fields != []:
            yield number, fields
        for _ in range(taken):
            waiting.popleft()
        number += taken


def _lines(path: Path) -> Iterator[str]:
    try:
        with inflate(path) as data:
            text = io.TextIOWrapper(data, encoding="utf-8-sig", errors="replace", newline="")
            while line := text.readline(_LONGEST_LINE):
                yield line
    except (OSError, Unreadable) as error:
        raise DatasetError(
            f"padchest: {path} cannot be read to its end ({error}); get it again."
        ) from error


def _take(waiting: deque[str], lines: Iterator[str]) -> tuple[int, list[str] | None]:
    """How many of the waiting lines the first record has, and its fields."""
    quotes = 0
    for count in range(1, _LINES_OF_A_RECORD + 1):
        if count > len(waiting):
            line = next(lines, "")
            if not line:
                break
            waiting.append(line)
        quotes += waiting[count - 1].count('"')
        if quotes % 2 == 0:
            fields = _parsed("".join(list(waiting)[:count]))
            return (1 if fields is None else count), fields
    return 1, None


def _parsed(text: str) -> list[str] | None:
    if not text.strip():
        return []
    try:
        (fields,) = csv.reader(io.StringIO(text, newline=""), strict=True)
    except (csv.Error, ValueError):
        return None
    return fields
