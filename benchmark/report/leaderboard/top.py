"""The first lines of tables, for a terminal."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from benchmark.report.blocks.lines import aligned, wrapped
from benchmark.report.blocks.people import of_patients
from benchmark.report.blocks.tables import Column, text_column
from benchmark.report.blocks.text import count
from benchmark.report.blocks.values import Value, limits, one_text, with_spread
from benchmark.report.columns import COLUMNS, Entry, entries, quantity
from benchmark.report.gathering.table import Table
from benchmark.report.leaderboard.board import Leaderboard
from benchmark.report.sections.section import mean_of_findings, title

KNOWN = {column.name: column for column in COLUMNS}


def _letters(each: Entry) -> Value:
    """Its letters; how many seeds another one wants stands in a column of its own."""
    return None if each.configuration in each.table.ahead else KNOWN["letters"].value(each)


TESTED = (
    KNOWN["label"],
    text_column("Letters", _letters),
    Column[Entry]("test_auc", "AUC", lambda e: with_spread(e.of("test_auc"))),
    Column[Entry](
        "interval",
        "95 % over patients",
        lambda e: limits(*(e.of("test_auc").limits or (None, None))),
    ),
    quantity("gap_auc", "Gap (AUC)", brief=True),
    KNOWN["seeds"],
    KNOWN["train_seconds"],
)
UNTESTED = tuple(
    KNOWN[name] for name in ("label", "validation_auc", "validation_auc_error", "seeds")
)
LINES = 5
MOST = 3
"""Tables that are shown; a run of many has the rest in the leaderboard."""


def tops(of: Leaderboard, config_ids: Collection[str], width: int | None = None) -> Iterator[str]:
    """The tops of the tables of findings that hold any of these configurations.

    Args:
        of: all tables.
        config_ids: the configurations.
        width: columns of the window that lines are fitted to; None: as wide as they are.
    """
    holding = [
        table for table in of.tables if any(c.config_id in config_ids for c in table.configurations)
    ]
    for table in holding[:MOST]:
        yield from _top(table, width)
    if len(holding) > MOST:
        yield f"... and {len(holding) - MOST} more table(s)."


def _support(table: Table) -> str:
    test = table.counts.get("test") if table.tested else None
    unknown = table.dataset.patients_unknown
    who = of_patients(test.patients, unknown=unknown) if test else ""
    of = f", {count(test.images)} test images{who}" if test else ""
    mean = mean_of_findings(table)
    return of + (f", {mean}" if mean else "") + (" (simulated)" if table.dataset.simulated else "")


def _top(table: Table, width: int | None) -> Iterator[str]:
    shown = TESTED if table.tested else UNTESTED
    best: list[Entry] = entries(table)[:LINES]
    lines = [[one_text(column.heading) for column in shown]]
    lines += [[one_text(column.value(entry)) for column in shown] for entry in best]
    left = [column.align == "l" for column in shown]
    yield f"\n{wrapped(one_text(title(table)) + _support(table), width)}"
    yield from aligned(lines, left, width)
    if more := len(table.configurations) - len(best):
        yield f"  and {more} more"
