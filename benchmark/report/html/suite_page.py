"""The page of a suite: its configurations in lists, and the figures of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from benchmark.records.row import Row
from benchmark.report.blocks.content import Content, Link, with_code
from benchmark.report.blocks.tables import Block, DataTable, Heading, Page, Paragraph
from benchmark.report.blocks.text import count
from benchmark.report.columns import SUITE, UNTESTED, Entry, columns
from benchmark.report.figures import Figure, Source, figures_of
from benchmark.report.gathering.configuration import Configuration
from benchmark.report.gathering.table import Table
from benchmark.report.html.names import file_name
from benchmark.report.html.pictures import about, pictures


@dataclass(frozen=True)
class SuiteRows:
    """What a results folder holds of one suite.

    Attributes:
        name: of the suite.
        title, description: from its file; empty where this installation has none of that name.
        tables: every table with a row of the suite, and the suite's configurations in it, in the
            table's order.
    """

    name: str
    title: str
    description: str
    tables: tuple[tuple[Table, tuple[Configuration, ...]], ...]

    @property
    def configurations(self) -> list[Configuration]:
        """Of all tables."""
        return [c for _, configurations in self.tables for c in configurations]

    @property
    def rows(self) -> list[Row]:
        """All rows of the suite, finished or not."""
        return [row for table, _ in self.tables for row in table.rows if row.suite == self.name]

    def each(self, say: Callable[[Table], str]) -> Iterator[str]:
        """What is to be said of each table, after the name of its data set."""
        for table, _ in self.tables:
            yield f"{table.name}: {say(table)}"

    def distinct(self, say: Callable[[Configuration], str]) -> list[str]:
        """What is to be said of the configurations, each thing once, without empty text."""
        return list(filter(None, dict.fromkeys(map(say, self.configurations))))


def suite_rows(tables: Iterable[Table]) -> list[SuiteRows]:
    """The suites that rows were made by, in alphabetical order."""
    tables = list(tables)
    names = sorted({row.suite for table in tables for row in table.rows if not made_elsewhere(row)})
    return [SuiteRows(name, *_described(name), _of_suite(tables, name)) for name in names]


def suite_figures(suite: SuiteRows, source: Source, *, cost: bool) -> list[Figure]:
    """The figures of its rows alone, under names of their own.

    Args:
        suite: what is drawn.
        source: what all figures are drawn from.
        cost: whether figures of time and hardware are among them.
    """
    tables = [_only(table, own) for table, own in suite.tables]
    found = figures_of(Source(replace(source.board, tables=tables), source.results), cost=cost)
    own = [each for each in found if each.draft.protocol_id]
    return [replace(each, file=f"{file_name(suite.name)}-{each.file}") for each in own]


def _only(table: Table, own: Sequence[Configuration]) -> Table:
    keys = {c.key for c in own}
    ranked, ahead, unranked = (
        tuple(c for c in among if c.key in keys)
        for among in (table.ranked, table.ahead, table.unranked)
    )
    return replace(table, ranked=ranked, ahead=ahead, unranked=unranked)


def suite_page(
    suite: SuiteRows, figures: Sequence[Figure], linked: set[str], *, cost: bool
) -> Page:
    """The page.

    Args:
        suite: what it is about.
        figures: of its rows, in the site's folder of figures.
        linked: keys of the configurations that have a page.
        cost: whether training times are shown.
    """

    def named(configuration: Configuration, name: str) -> Content:
        if configuration.key not in linked:
            return name
        return Link(f"../rows/{file_name(configuration.key)}.html", name)

    blocks: list[Block] = [
        Heading(1, suite.title or f"Suite {suite.name}"),
        Paragraph(with_code(suite.description)),
        Paragraph(
            (
                Link("../index.html#how-to-read-it", "What every sign means"),
                ", ",
                Link(f"{file_name(suite.name)}-checklist.html", "reporting checklist"),
            )
        ),
    ]
    for table, configurations in suite.tables:
        entries = [Entry(table, c, named) for c in configurations]
        blocks += _section(suite, table, entries, cost=cost)
        blocks += pictures(about(figures, [table]), "../figures")
    trail = [Link("../index.html", "cxr-bench")]
    title = f"Suite {suite.name}: {suite.title}" if suite.title else f"Suite {suite.name}"
    return Page(title, blocks, trail, root="../")


def made_elsewhere(row: Row) -> bool:
    """Whether a row comes from another tool, and so belongs to no suite."""
    return row.spec.kind == "external"


def _described(name: str) -> tuple[str, str]:
    from benchmark.suites import load_suite, suites

    if name not in suites():
        return "", ""
    suite = load_suite(name)
    return suite.title, suite.description


def _of_suite(
    tables: list[Table], name: str
) -> tuple[tuple[Table, tuple[Configuration, ...]], ...]:
    return tuple(
        (table, tuple(c for c in table.configurations if _made_by(c, name)))
        for table in tables
        if any(row.suite == name for row in table.rows)
    )


def _made_by(configuration: Configuration, suite: str) -> bool:
    return any(run.row.suite == suite for run in configuration.runs)


def _section(
    suite: SuiteRows, table: Table, entries: list[Entry], *, cost: bool
) -> Iterator[Block]:
    yield Heading(2, Link(f"../index.html#{table.anchor}", table.name), table.anchor)
    for mark in table.watermarks:
        yield Paragraph(f"Not comparable with full runs: {mark}.", notice=True)
    rows = [row for row in table.rows if row.suite == suite.name]
    done = sum(row.done for row in rows)
    yield Paragraph(f"{count(done)} of {count(len(rows))} runs finished.")
    if entries:
        yield DataTable.of(columns(SUITE if table.tested else UNTESTED, cost=cost), entries)
