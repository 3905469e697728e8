"""The first page: what the project is, its results in tables and figures, and ways to the rest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from benchmark.report.blocks.content import Content, Link, joined
from benchmark.report.blocks.tables import (
    Beside,
    Block,
    DataTable,
    Details,
    Filter,
    Heading,
    Notes,
    Page,
    Paragraph,
)
from benchmark.report.blocks.text import count
from benchmark.report.blocks.values import as_text
from benchmark.report.figures import Figure
from benchmark.report.gathering.configuration import Configuration
from benchmark.report.gathering.table import Table
from benchmark.report.html.names import file_name
from benchmark.report.html.pictures import about, pictures
from benchmark.report.html.suite_page import SuiteRows
from benchmark.report.leaderboard.board import Leaderboard
from benchmark.report.leaderboard.document import body
from benchmark.report.render.html import slug

TITLE = "cxr-bench: which chest X-ray classifier is really better?"
WHAT = (
    "Classifiers trained on chest X-ray sets that anyone can get: how good each is, and which "
    "differences between them are real."
)
SECTIONS = {"attributes": "attribute-prediction", "external": "Tested on another data set"}
"""Figure -> anchor, or else text, of the heading of the section that it belongs to."""
NOT_SEARCHED = ("All tables", "How to read it", "Published numbers, not reproduced here")
"""Headings of tables that the filter leaves out: nothing in them was measured here."""
FIRST = "first-"
"""What begins the anchor of a table on the first screen, before that of its section."""


def index_page(
    leaderboard: Leaderboard,
    suites: list[SuiteRows],
    figures: Sequence[Figure],
    linked: set[str],
    exports: Iterable[str],
    data_sets: Mapping[str, str],
    *,
    cost: bool,
) -> Page:
    """The page.

    Args:
        leaderboard: what it shows.
        suites: those with a page.
        figures: those in the folder of figures.
        linked: keys of the configurations that have a page.
        exports: names of the files beside the page that hold the same numbers.
        data_sets: name -> path of a page about a data set.
        cost: whether training time and hardware are shown.
    """

    def named(configuration: Configuration, name: str) -> Content:
        if configuration.key not in linked:
            return name
        return Link(f"rows/{file_name(configuration.key)}.html", name)

    told = body(leaderboard, cost=cost, named=named)
    below = [*_suites(suites), *_data_sets(data_sets)]
    blocks = [
        Heading(1, TITLE),
        _summary(leaderboard, exports),
        Filter(),
        *_with_figures(_findable(told, leaderboard.tables), leaderboard.tables, figures),
        *below,
    ]
    return Page("cxr-bench leaderboard", blocks, contents=list(_contents([*told, *below])))


def _summary(leaderboard: Leaderboard, exports: Iterable[str]) -> Paragraph:
    configurations = [c for table in leaderboard.tables for c in table.configurations]
    runs = sum(len(c.runs) for c in configurations)
    files = joined(", ", [Link(name, name) for name in exports])
    said = (
        f"{WHAT} {count(len(configurations))} configurations in {count(runs)} finished runs; a "
        "model's name leads to its page. The same numbers unrounded: "
    )
    return Paragraph((said, files, "."))


def _contents(blocks: Iterable[Block]) -> Iterator[Link]:
    """A link to each heading of the second level that is no table's."""
    for block in blocks:
        match block:
            case Heading(level=2, content=str(text), anchor=anchor) if not anchor.startswith(
                "protocol-"
            ):
                yield Link(f"#{anchor or slug(text)}", text)


def _findable(blocks: Iterable[Block], tables: Iterable[Table]) -> Iterator[Block]:
    """The blocks; rows are found by the protocol or the heading of their section, too."""
    words_of: dict[str, str] = {}
    for table in tables:
        words = f"{table.protocol.dataset} {table.name} {table.protocol.id}"
        words_of |= {table.anchor: words, f"{FIRST}{table.anchor}": words}
    words = ""
    for block in blocks:
        if isinstance(block, Heading):
            heading = as_text(block.content)
            own = "" if heading in NOT_SEARCHED else heading
            words = words_of.get(block.anchor, words if block.level > 3 else own)
        yield _marked(block, words)


def _marked(block: Block, words: str) -> Block:
    match block:
        case DataTable() if words:
            return replace(block, about=words)
        case Details(blocks=inner) | Beside(blocks=inner):
            return replace(block, blocks=tuple(_marked(each, words) for each in inner))
    return block


def _with_figures(
    blocks: Iterable[Block], tables: Iterable[Table], figures: Sequence[Figure]
) -> Iterator[Block]:
    """The blocks; behind the first table under a heading the figures about it, all but one folded.

    Those about a protocol stand on the first screen, the others in the section of their question.
    """
    shown = {f"{FIRST}{table.anchor}": about(figures, [table]) for table in tables}
    shown |= {heading: [f for f in figures if f.name == name] for name, heading in SECTIONS.items()}
    here: list[Figure] = []
    for block in blocks:
        yield block
        if isinstance(block, Heading):
            own = shown.get(block.anchor or as_text(block.content))
            here = own or (here if block.level > 2 else [])
        elif isinstance(block, DataTable):
            yield from pictures(here, "figures")
            here = []


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


def _data_sets(paths: Mapping[str, str]) -> list[Block]:
    items = tuple(Link(path, name) for name, path in paths.items())
    said = Paragraph("What is in them before any model sees it, and what an audit found:")
    return [Heading(2, "Data sets"), said, Notes(items)] if items else []
