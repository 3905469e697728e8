"""Tables of a results folder as a person asks for them: which ones, with which columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from benchmark.errors import UnknownName, UserError
from benchmark.records.facts import ProtocolFacts
from benchmark.report.blocks.content import Content
from benchmark.report.blocks.tables import Block, Column, DataTable, Heading
from benchmark.report.columns import COLUMNS, RANKING, UNTESTED, Entry, columns, entries
from benchmark.report.export.dictionary import file_columns, quantity_columns
from benchmark.report.leaderboard.board import Leaderboard
from benchmark.report.render import csv, latex, markdown
from benchmark.report.sections import external_validation as external
from benchmark.report.sections import lungs, section
from benchmark.report.sections.legend import explained
from benchmark.scoring.overlap import ALL

PACKAGES = "% In the preamble: \\usepackage{booktabs}\n"
SIGNS = (
    "watermarks", "provisional", "not_ranked_because", "stale", "remade", "edited_seeds",
    "improving_seeds", "stalled_seeds", "external", "short_interval",
)  # fmt: skip
"""Columns that say what people are told by signs and words beside a name or a number."""


@dataclass(frozen=True)
class Offer:
    """A table that may be asked for.

    Attributes:
        protocol: what its rows share.
        title: what it is called.
        columns: that it can have, by name.
        usual: names of those that it has where none are asked for.
        entries: what its lines are of.
        notes: what stands below it: the images, and what it has of its own to explain.
    """

    protocol: ProtocolFacts
    title: Content
    columns: Mapping[str, Column[Any]]
    usual: tuple[str, ...]
    entries: Sequence[Any]
    notes: tuple[Content, ...]

    def table(self, names: Sequence[str]) -> DataTable:
        """The table with these columns; all of them must be among those that it can have."""
        shown = [self.columns[name] for name in names or self.usual]
        table = DataTable.of(shown, self.entries, title=self.title)
        return replace(table, notes=(*self.notes, *explained(table)))


def offers(of: Leaderboard, suite: str = "", *, to_be_read: bool = True) -> Iterator[Offer]:
    """Every table that has a line, in the order of the leaderboard; of a suite only its rows.

    Args:
        to_be_read: by people, with signs behind a name and what a number lacks in words; else
            columns hold what those of the same name in leaderboard.csv do, and the usual ones are
            also those of :data:`SIGNS`.
    """
    for each in of.tables:
        shown = [e for e in entries(each) if _of_suite(e, suite)]
        quantities = (*quantity_columns(), *section.finding_columns(each))
        first, last = (file_columns(), COLUMNS) if to_be_read else (COLUMNS, file_columns())
        fields = (*quantities, *first, *last)  # the last of a name is taken
        usual = [c.name for c in columns(RANKING if each.tested else UNTESTED)]
        if shown:
            named, images = section.title(each), section.measured_on(each)
            told = usual if to_be_read else [*usual, *SIGNS]
            yield _offer(each.protocol, named, fields, told, shown, images)
    for of_one in external.by_protocol(of.external):
        own = [e for e in of_one if not suite or e.row.suite == suite]
        if own:
            evaluated = external.external_columns(own)
            of_set = own[0].row.protocol, external.external_title(own)
            notes = external.measured_on(own), *external.numbered(own)
            yield _offer(*of_set, evaluated, [c.name for c in evaluated], own, *notes)
    for masks in of.lungs:
        runs = [run for run in masks.runs if not suite or run.row.suite == suite]
        if runs:
            overlaps = lungs.mask_columns(ALL)
            named, images = lungs.mask_title(masks), lungs.measured_on(masks, ALL)
            usual = [c.name for c in overlaps]
            yield _offer(masks.protocol, named, overlaps, usual, runs, images)


def _offer(
    protocol: ProtocolFacts,
    title: Content,
    fields: Sequence[Column[Any]],
    usual: Sequence[str],
    entries: Sequence[Any],
    *notes: Content,
) -> Offer:
    by_name = {column.name: column for column in fields}
    return Offer(protocol, title, by_name, tuple(usual), entries, notes)


def _of_suite(entry: Entry, suite: str) -> bool:
    return not suite or any(run.row.suite == suite for run in entry.configuration.runs)


def choose(offered: Sequence[Offer], text: str, names: Sequence[str]) -> list[Offer]:
    """The tables that are asked for.

    Args:
        text: a data set, its part before or behind the ``/``, or the start of a protocol's id;
            empty for all.
        names: of columns that they must be able to have.

    Raises:
        UnknownName: there is no such table, or none with such a column.
        UserError: there is no table at all.
    """
    if not offered:
        raise UserError("there is no table with a finished row")
    found = [o for o in offered if _is_called(o.protocol, text)]
    if not found:
        known = {name for o in offered for name in (o.protocol.dataset, o.protocol.id)}
        raise UnknownName("table", text, known)
    fitting = [each for each in found if each.columns.keys() >= set(names)]
    if not fitting:
        unknown = next(name for name in names if name not in found[0].columns)
        raise UnknownName(
            "column", unknown, found[0].columns, "All of them: cxr-bench list columns."
        )
    return fitting


def _is_called(protocol: ProtocolFacts, text: str) -> bool:
    names = (protocol.dataset, *protocol.dataset.split("/"))
    return text in names or protocol.id.startswith(text)


def _latex(chosen: Sequence[Offer], names: Sequence[str]) -> str:
    return PACKAGES + "\n".join(latex.table(each.table(names)) for each in chosen)


def _markdown(chosen: Sequence[Offer], names: Sequence[str]) -> str:
    blocks: list[Block] = []
    for each in chosen:
        blocks += [Heading(2, each.title), each.table(names)]
    return markdown.document(blocks)


def _csv(chosen: Sequence[Offer], names: Sequence[str]) -> str:
    """One file; of several tables, each line says which it is of."""
    several = len(chosen) > 1
    return csv.lines(
        [
            ({"protocol_id": each.protocol.id, "dataset": each.protocol.dataset} if several else {})
            | line
            for each in chosen
            for line in each.table(names).records()
        ]
    )


FORMATS: dict[str, Callable[[Sequence[Offer], Sequence[str]], str]] = {
    "markdown": _markdown,
    "latex": _latex,
    "csv": _csv,
}
"""How tables may be written: tables and names of columns (none for the usual ones) -> text."""
