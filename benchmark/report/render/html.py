"""Blocks as HTML, by templates that escape whatever is put into them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from benchmark.report.blocks.tables import Beside, Block, DataTable, Details, Heading, Page
from benchmark.report.blocks.text import one_line
from benchmark.report.blocks.values import Value, amount, one_text, shown

# Nothing but the site's own files, wherever they lie; 'self' does not cover file: everywhere.
_POLICY = "; ".join(
    [
        "default-src 'none'",
        *(f"{kind}-src 'self' file:" for kind in ("style", "script", "img")),
        "base-uri 'none'",
        "form-action 'none'",
    ]
)

_LINE = 36
"""Signs of a text that may be broken into lines, but not into words below each other."""


def page(each: Page) -> str:
    """A whole document."""
    main = blocks(each.blocks)
    return _environment().get_template("page.html").render(page=each, main=main, policy=_POLICY)


def blocks(each: Iterable[Block]) -> Markup:
    """The blocks below each other."""
    return _Writer().write(each)


def inline(value: Value) -> Markup:
    """One line."""
    content = shown(value)
    if isinstance(content, str):
        return escape(one_line(content, within=True))
    if isinstance(content, tuple):
        return Markup().join(map(inline, content))
    return _write(content)


class _Writer:
    """Goes down a page, and knows where it is: links lead to headings by names used once."""

    def __init__(self) -> None:
        self.title = "Table"
        self.names: set[str] = {"main", "filter"}
        self.labels: Counter[str] = Counter()

    def write(self, each: Iterable[Block]) -> Markup:
        """These blocks, further down the page."""
        return Markup().join(map(self._block, each))

    def _block(self, block: Block) -> Markup:
        match block:
            case Heading(_, content, anchor):
                self.title = one_text(content)
                return _write(block, self._name(anchor or slug(self.title)))
            case DataTable(title=title):
                return _write(block, self._label(one_text(title) or self.title))
            case Details(blocks=inner) | Beside(blocks=inner):
                return _write(block, self.write(inner))
            case _:
                return _write(block)

    def _label(self, label: str) -> str:
        """What a screen reader calls a table: none is called as another one."""
        self.labels[label] += 1
        n = self.labels[label]
        return label if n == 1 else f"{label}, table {n}"

    def _name(self, name: str) -> str:
        if name in self.names:
            return ""
        self.names.add(name)
        return name


def _write(each: object, *more: str) -> Markup:
    return _macros()[type(each).__name__.lower()](each, *more)


def _looks(table: DataTable, place: int) -> str:
    """The classes of a column: what its rows are about, numbers, words that want room."""
    naming, right = place == table.naming, table.columns[place].align == "r"
    longest = max((len(one_text(row[place])) for row in table.rows), default=0)
    words = longest > _LINE and not (naming or right)
    return " ".join(name for name, of in (("names", naming), ("n", right), ("words", words)) if of)


def slug(title: str) -> str:
    """What a Markdown reader calls a heading in links to it."""
    return re.sub(r"[^a-z0-9-]", "", title.lower().replace(" ", "-"))


@cache
def _macros() -> dict:
    return vars(_environment().get_template("pieces.html").module)


@cache
def _environment() -> Environment:
    loader = FileSystemLoader(Path(__file__).with_name("templates"))
    made = Environment(
        loader=loader, autoescape=True, trim_blocks=True, undefined=StrictUndefined,
        keep_trailing_newline=True,
    )  # fmt: skip
    made.filters |= {"inline": inline, "amount": amount, "one_line": one_line, "looks": _looks}
    return made
