"""The first page: the leaderboard, which can be sorted and filtered."""

from __future__ import annotations

from collections.abc import Iterable

from benchmark.report.board import Leaderboard
from benchmark.report.configuration import Configuration
from benchmark.report.content import Content, Link, joined
from benchmark.report.document import body
from benchmark.report.html.names import file_name
from benchmark.report.html.suite_page import SuiteRows
from benchmark.report.tables import Block, Filter, Heading, Notes, Page, Paragraph
from benchmark.report.text import count


def index_page(
    leaderboard: Leaderboard,
    suites: list[SuiteRows],
    linked: set[str],
    exports: Iterable[str],
    *,
    cost: bool,
) -> Page:
    """The page.

    Args:
        leaderboard: what it shows.
        suites: those with a page.
        linked: keys of the configurations that have a page.
        exports: names of the files beside the page that hold the same numbers.
        cost: whether training time and hardware are shown.
    """

    def named(configuration: Configuration, name: str) -> Content:
        if configuration.key not in linked:
            return name
        return Link(f"rows/{file_name(configuration.key)}.html", name)

    blocks = [
        Heading(1, "Leaderboard"),
        _summary(leaderboard, exports),
        *_suites(suites),
        Filter(),
        *body(leaderboard, cost=cost, named=named),
    ]
    return Page("cxr-bench leaderboard", blocks)


def _summary(leaderboard: Leaderboard, exports: Iterable[str]) -> Paragraph:
    configurations = [c for table in leaderboard.tables for c in table.configurations]
    runs = sum(len(c.runs) for c in configurations)
    files = joined(", ", [Link(name, name) for name in exports])
    said = (
        f"{count(len(configurations))} configurations in {count(runs)} finished runs. A model's "
        "name leads to its page. A column's heading sorts its table; sorting does not rank: the "
        "letters do. The same numbers unrounded: "
    )
    return Paragraph((said, files, "."))


def _suites(suites: list[SuiteRows]) -> list[Block]:
    items = [
        (
            Link(f"suites/{name}.html", suite.title or f"Suite {suite.name}"),
            " (",
            Link(f"suites/{name}-checklist.html", "reporting checklist"),
            ")",
        )
        for suite, name in ((suite, file_name(suite.name)) for suite in suites)
    ]
    return [Heading(2, "Suites"), Notes(tuple(items))] if items else []
