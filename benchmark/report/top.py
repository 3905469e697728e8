"""The first lines of tables, for a terminal."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from benchmark.report.board import Leaderboard
from benchmark.report.columns import COLUMNS, Entry, entries
from benchmark.report.gather import Table
from benchmark.report.section import title
from benchmark.report.values import one_text

TESTED = ("letters", "label", "test_auc", "gap_auc", "seeds")
UNTESTED = ("label", "validation_auc", "validation_auc_error", "seeds")
LINES = 5
MOST = 3
"""Tables that are shown; a run of many has the rest in the leaderboard."""


def tops(of: Leaderboard, config_ids: Collection[str]) -> Iterator[str]:
    """The tops of the tables of findings that hold any of these configurations."""
    holding = [
        table for table in of.tables if any(c.config_id in config_ids for c in table.configurations)
    ]
    for table in holding[:MOST]:
        yield from _top(table)
    if len(holding) > MOST:
        yield f"... and {len(holding) - MOST} more table(s)."


def _top(table: Table) -> Iterator[str]:
    known = {column.name: column for column in COLUMNS}
    shown = [known[name] for name in (TESTED if table.tested else UNTESTED)]
    best: list[Entry] = entries(table)[:LINES]
    lines = [[one_text(column.heading) for column in shown]]
    lines += [[one_text(column.value(entry)) for column in shown] for entry in best]
    left = [column.align == "l" for column in shown]
    yield f"\n{one_text(title(table))}"
    yield from _aligned(lines, left)
    if more := len(table.configurations) - len(best):
        yield f"  and {more} more"


def _aligned(lines: Sequence[Sequence[str]], left: Sequence[bool]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = (
            f"{cell:<{width}}" if to_left else f"{cell:>{width}}"
            for cell, width, to_left in zip(line, widths, left, strict=True)
        )
        yield f"  {'  '.join(cells)}".rstrip()
