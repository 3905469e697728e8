"""Lines for a window: words wrapped and tables fitted. What goes to a file stays as it is."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Iterator, Sequence
from typing import TextIO

NARROWEST = 40
"""Columns of a window below which lines are fitted no further."""
USUAL = 80
BETWEEN, INDENT = 2, 2
LEAST = 14
"""Columns that a column of words keeps before a table is folded instead."""

Row = Sequence[str]


def window(stream: TextIO) -> int | None:
    """Columns that lines may take; None where the stream is no terminal."""
    if not stream.isatty():
        return None
    try:
        columns = int(os.environ.get("COLUMNS") or os.get_terminal_size(stream.fileno()).columns)
    except (OSError, ValueError):
        columns = 0
    return max(NARROWEST, (columns or USUAL) - 1)


def wrapped(text: str, width: int | None, hang: int = 2) -> str:
    """Text whose lines are wrapped between words, each continued ``hang`` columns further in.

    A word that is longer than a line, such as a path, is left whole.
    """
    if width is None:
        return text
    lines = []
    for line in text.split("\n"):
        indent = " " * (len(line) - len(line.lstrip(" ")) + hang)
        lines += textwrap.wrap(line, width, subsequent_indent=indent, break_long_words=False,
                               break_on_hyphens=False) or [line]  # fmt: skip
    return "\n".join(lines)


def aligned(rows: Sequence[Row], left: Sequence[bool], width: int | None = None) -> Iterator[str]:
    """The lines of a table.

    Where it is wider than ``width``, the widest column of words is wrapped; where that is not
    enough, columns go on below, each time behind the first one.

    Args:
        rows: texts of its cells, a heading first where there is one.
        left: which columns stand to the left.
        width: columns of the window; None: as wide as it is.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    if width is not None and (over := _total(widths) - width) > 0:
        words = max((k for k, is_left in enumerate(left) if is_left), key=widths.__getitem__)
        if widths[words] - over < LEAST:
            yield from _folded(rows, left, widths, width)
            return
        widths[words] -= over
    for row in rows:
        yield from _lines(row, left, widths)


def _total(widths: Sequence[int]) -> int:
    return INDENT + sum(widths) + BETWEEN * (len(widths) - 1)


def _folded(
    rows: Sequence[Row], left: Sequence[bool], widths: list[int], width: int
) -> Iterator[str]:
    widths = [min(widths[0], max(LEAST, width // 3)), *widths[1:]]
    blocks: list[list[int]] = [[0]]
    for k in range(1, len(widths)):
        if len(blocks[-1]) > 1 and _total([widths[j] for j in (*blocks[-1], k)]) > width:
            blocks.append([0])
        blocks[-1].append(k)
    for block in blocks:
        before = _total([*(widths[j] for j in block[:-1]), 0])
        widths[block[-1]] = min(widths[block[-1]], width - before)
        for row in rows:
            cells = [row[k] for k in block]
            yield from _lines(cells, [left[k] for k in block], [widths[k] for k in block])


def _lines(row: Row, left: Sequence[bool], widths: Sequence[int]) -> Iterator[str]:
    cells = [
        textwrap.wrap(cell, wide or 1, break_on_hyphens=False) or [""]
        for cell, wide in zip(row, widths, strict=True)
    ]
    for k in range(max(map(len, cells))):
        texts = (cell[k] if k < len(cell) else "" for cell in cells)
        placed = (
            f"{text:<{wide}}" if to_left else f"{text:>{wide}}"
            for text, wide, to_left in zip(texts, widths, left, strict=True)
        )
        yield f"{' ' * INDENT}{(' ' * BETWEEN).join(placed)}".rstrip()
