"""The page of a suite: its configurations in two pictures and a list."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmark.records.row import Row
from benchmark.report.configuration import Configuration
from benchmark.report.gather import Table
from benchmark.report.html.elements import figure, grid, link, notice, page, text
from benchmark.report.html.names import file_name
from benchmark.report.html.render import inline
from benchmark.report.section import measured
from benchmark.report.text import UNDEFINED, count, duration, number


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


def draw_suite(suite: SuiteRows, folder: Path) -> None:
    """Write the suite's figures."""
    from benchmark.report.html import figures_suite
    from benchmark.report.html.figure_style import save_both

    protocols = _panels(suite)
    if protocols:
        for draw in (figures_suite.gap_against_auc, figures_suite.accuracy_against_cost):
            save_both(lambda draw=draw: draw(protocols), folder / draw.__name__)


def suite_page(suite: SuiteRows, linked: set[str], *, cost: bool) -> str:
    """The page.

    Args:
        suite: what it is about.
        linked: keys of the configurations that have a page.
        cost: whether training times are shown.
    """
    body = [
        f"<h1>{text(suite.title or f'Suite {suite.name}')}</h1>",
        f"<p>{text(suite.description)}</p>",
        f"<p>{link(f'{file_name(suite.name)}-checklist.html', 'Reporting checklist')}</p>",
        *(_pictures(suite, cost=cost) if _panels(suite) else []),
    ]
    for table, configurations in suite.tables:
        body += _section(suite, table, configurations, linked, cost=cost)
    trail = [link("../index.html", "Leaderboard")]
    return page(f"Suite {suite.name}", body, root="../", trail=trail)


def made_elsewhere(row: Row) -> bool:
    """Whether a row comes from another tool, and so belongs to no suite."""
    return row.spec.kind == "external"


def _described(name: str) -> tuple[str, str]:
    from benchmark.suites import load_suite, suites

    if name not in suites():
        return "", ""
    suite = load_suite(name)
    return suite.title, suite.description


def _of_suite(tables: list[Table], name: str):
    return tuple(
        (table, tuple(c for c in table.configurations if _made_by(c, name)))
        for table in tables
        if any(row.suite == name for row in table.rows)
    )


def _made_by(configuration: Configuration, suite: str) -> bool:
    return any(run.row.suite == suite for run in configuration.runs)


def _panels(suite: SuiteRows) -> dict[str, list[Configuration]]:
    """What the pictures show: a model that sees no image would squeeze all others together."""
    panels = {}
    for table, configurations in suite.tables:
        mark = "\nnot comparable" if table.watermarks else ""
        dataset = table.protocol.dataset
        task = table.name.removeprefix(dataset).lstrip(", ")
        name = "\n".join(filter(None, (dataset, task, table.protocol.id))) + mark
        panels[name] = [c for c in configurations if c.spec.resolution]
    return {name: shown for name, shown in panels.items() if shown}


def _pictures(suite: SuiteRows, *, cost: bool) -> list[str]:
    folder = f"../figures/suites/{file_name(suite.name)}"
    best = max(suite.configurations, key=lambda c: c.measurements["test_auc"].mean or 0)
    said = f"Highest test AUC: {best.spec.model}, {number(best.measurements['test_auc'].mean)}."
    lines = [
        "<h2>Overfitting against AUC</h2>",
        *figure(
            f"{folder}/gap_against_auc",
            f"Overfitting gap against test AUC of suite {suite.name}, a panel a protocol. {said}",
            "Top left is best. Lines: 95 % intervals. Numbers of different panels are not "
            "comparable. Models that see no image, or made elsewhere, stand in the tables only.",
            broad=len(suite.tables) > 1,
        ),
    ]
    if not cost:
        return lines
    return [
        *lines,
        "<h2>Accuracy against cost</h2>",
        *figure(
            f"{folder}/accuracy_against_cost",
            f"Test accuracy against training time of suite {suite.name}, a panel a protocol.",
            "Top left is best. Accuracy at the frozen threshold, which says little where a "
            "finding is rare; training time of one run, comparable on one machine only. Rows that "
            "train nothing of their own are left out.",
            broad=len(suite.tables) > 1,
        ),
    ]


def _section(
    suite: SuiteRows,
    table: Table,
    configurations: tuple[Configuration, ...],
    linked: set[str],
    *,
    cost: bool,
) -> Iterator[str]:
    dataset = table.name
    yield f'<h2><a href="../index.html#{table.anchor}">{text(dataset)}</a></h2>'
    for mark in table.watermarks:
        yield notice(f"Not comparable with full runs: {mark}.")
    rows = [row for row in table.rows if row.suite == suite.name]
    done = sum(row.done for row in rows)
    yield f"<p>{count(done)} of {count(len(rows))} runs finished.</p>"
    if not configurations:
        return
    header = ["Configuration", "Group", "AUC", "Gap (AUC)", "Accuracy", "Parameters"]
    times = [[duration(c.train_seconds)] if cost else [] for c in configurations]
    lines = [
        [
            _named(table, c, linked),
            str(table.group_numbers.get(c.key, UNDEFINED)),
            measured(c.measurements["test_auc"]),
            measured(c.measurements["gap_auc"]),
            number(c.measurements["test_accuracy"].mean),
            count(c.model.parameters),
            *time,
        ]
        for c, time in zip(configurations, times, strict=True)
    ]
    header += ["Training"] if cost else []
    yield from grid(header, lines, "l" + "r" * (len(header) - 1), dataset)


def _named(table: Table, configuration: Configuration, linked: set[str]) -> str:
    label = inline(table.labels[configuration.key])
    if configuration.key not in linked:
        return label
    return f'<a href="../rows/{file_name(configuration.key)}.html">{label}</a>'
