"""Documents as data: blocks one below the other, of which a table is one.

A table is columns and rows of values (:mod:`benchmark.report.blocks.values`). What becomes of it in
Markdown, HTML, CSV or LaTeX is for the renderers in ``render/`` to know, and for nobody else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

from benchmark.report.blocks.content import Content, Link
from benchmark.report.blocks.values import Parts, Value, parts

E = TypeVar("E")


@dataclass(frozen=True)
class Column(Generic[E]):
    """A column: what it is called, and what it says of each entry.

    Attributes:
        name: in files.
        header: above the column; ``unit`` stands behind it in brackets.
        value: entry -> its value.
        align: ``r`` for numbers.
        legend: what it means; empty where it goes without saying.
        sign: what the legend calls it; the header unless given.
        places: the tables it stands in, for columns that are looked up by it.
        cost: whether it tells of time or hardware, which may be left out.
        long: header where it stands among the numbers of other splits.
        names_row: whether it says what a row is about; where none does, the first column does.
    """

    name: str
    header: Content
    value: Callable[[E], Value]
    align: Literal["l", "r"] = "r"
    unit: str = ""
    legend: Content = ""
    sign: Content = ""
    places: tuple[str, ...] = ()
    cost: bool = False
    long: str = ""
    names_row: bool = False

    @property
    def heading(self) -> Content:
        """The header with its unit."""
        return (self.header, f" ({self.unit})") if self.unit else self.header


def text_column(
    header: Content, value: Callable[[E], Value], name: str = "", *, names_row: bool = False
) -> Column[E]:
    """A column of words, to the left."""
    return Column(name, header, value, align="l", names_row=names_row)


@dataclass(frozen=True)
class DataTable:
    """A table.

    Attributes:
        columns: of the rows.
        rows: a value for each column.
        title: what it is called by a screen reader, or as a caption.
        notes: lines below it.
        sortable: False where the rows have an order of their own.
        wrapping: whether long words, like hashes, are broken.
        about: words that its rows are found by beside their own, on screens.
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[Value, ...], ...]
    title: Content = ""
    notes: tuple[Content, ...] = ()
    sortable: bool = True
    wrapping: bool = False
    about: str = ""

    @classmethod
    def of(cls, columns: Iterable[Column[E]], entries: Iterable[E], **facts: Any) -> DataTable:
        """The table of these entries; ``facts`` are the other attributes."""
        columns = tuple(columns)
        rows = tuple(tuple(column.value(each) for column in columns) for each in entries)
        return cls(columns, rows, **facts)

    @property
    def naming(self) -> int:
        """The place of the column that says what a row is about."""
        return next((k for k, column in enumerate(self.columns) if column.names_row), 0)

    def records(self) -> list[Parts]:
        """Each row by the names of the columns of a file, unrounded."""
        lines = []
        for row in self.rows:
            line: Parts = {}
            for column, value in zip(self.columns, row, strict=True):
                line |= parts(value, column.name)
            lines.append(line)
        return lines


@dataclass(frozen=True)
class Heading:
    """A heading; ``anchor`` is its name in links, without one the heading's own words are."""

    level: int
    content: Content
    anchor: str = ""


@dataclass(frozen=True)
class Paragraph:
    """Words; ``notice``: that must not be missed; ``css``: how they look on screens."""

    content: Content
    notice: bool = False
    css: str = ""


@dataclass(frozen=True)
class Facts:
    """Names and what is to be said of each; ``as_table``: many short ones.

    ``card``: those that a reader wants first, set off from the rest.
    """

    entries: tuple[tuple[str, Content], ...]
    as_table: bool = False
    card: bool = False


@dataclass(frozen=True)
class Notes:
    """Lines below each other in no order."""

    items: tuple[Content, ...]


@dataclass(frozen=True)
class Details:
    """Blocks in a box that can be closed; one that is open at first is no box in print."""

    summary: str
    blocks: tuple[Block, ...]
    folded: bool = True
    css: str = ""


@dataclass(frozen=True)
class Picture:
    """A figure in light and dark, as SVG and PNG.

    Attributes:
        path: from the document to the files, without a suffix.
        alt: what is to be seen, for those who do not see it.
        caption: how to read it.
        broad: whether it has panels beside each other, and scrolls where a screen is too narrow.
    """

    path: str
    alt: str
    caption: str
    broad: bool = False


@dataclass(frozen=True)
class Beside:
    """Blocks beside each other where there is room."""

    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Filter:
    """The field that leaves those rows of all tables that hold its words; on screens only."""


Block = Heading | Paragraph | Facts | Notes | DataTable | Details | Picture | Beside | Filter


@dataclass(frozen=True)
class Page:
    """A document of its own.

    Attributes:
        title: what it is called, outside of it.
        blocks: all of it, its heading included.
        trail: links to the pages above this one.
        contents: links to what is on it or below it.
        root: from the page to the site's folder, e.g. ``"../"``.
    """

    title: str
    blocks: list[Block]
    trail: list[Link] = field(default_factory=list)
    contents: list[Link] = field(default_factory=list)
    root: str = ""


def notes(items: Iterable[Content]) -> list[Block]:
    """A list of notes, or nothing where there is none."""
    items = tuple(items)
    return [Notes(items)] if items else []
