"""Blocks as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from benchmark.report.blocks.content import Break, Code, Emphasis, Figures, Link, Open, Strong
from benchmark.report.blocks.tables import (
    Beside,
    Block,
    DataTable,
    Details,
    Facts,
    Filter,
    Heading,
    Notes,
    Paragraph,
    Picture,
)
from benchmark.report.blocks.text import one_line, plain
from benchmark.report.blocks.values import Value, shown

_RULES = {"l": ":--", "r": "--:"}


def document(blocks: Iterable[Block]) -> str:
    """The whole document."""
    return "\n\n".join(each for block in blocks for each in _written(block)) + "\n"


def inline(value: Value) -> str:
    """One line: names from data show exactly their text."""
    match shown(value):
        case str(text):
            return plain(text, within=True)
        case tuple(pieces):
            return "".join(map(inline, pieces))
        case Figures(text):
            return text
        case Code(text):
            return _code(one_line(text))
        case Strong(content):
            return f"**{inline(content).strip()}**"
        case Emphasis(content):
            return f"*{inline(content).strip()}*"
        case Link(target, content):
            return f"[{inline(content).strip()}]({target})"
        case Open(text):
            return plain(text)
        case Break():
            return "<br>"


def table(each: DataTable) -> str:
    """A table, with the notes below it."""
    lines = [
        [inline(column.heading) for column in each.columns],
        [_RULES[column.align] for column in each.columns],
        *([inline(value).strip() for value in row] for row in each.rows),
    ]
    shown = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return "\n\n".join([shown, *map(inline, each.notes)])


def _written(block: Block) -> Iterator[str]:
    match block:
        case Heading(level, content, anchor):
            if anchor:
                yield f'<a id="{anchor}"></a>'
            yield f"{'#' * level} {inline(content).strip()}"
        case Paragraph(content):
            yield inline(content)
        case Facts(entries):
            yield "\n".join(f"- **{plain(name)}**: {inline(said)}" for name, said in entries)
        case Notes(items):
            yield "\n".join(f"- {inline(item)}" for item in items)
        case DataTable():
            yield table(block)
        case Details(summary, blocks, folded):
            if folded:
                yield f"<details><summary>{plain(summary)}</summary>"
            yield from (each for inner in blocks for each in _written(inner))
            if folded:
                yield "</details>"
        case Picture(path, alt, caption):
            yield f"![{plain(alt)}]({path}.png)"
            yield plain(caption)
        case Beside(blocks):
            yield from (each for inner in blocks for each in _written(inner))
        case Filter():
            pass


def _code(text: str) -> str:
    """Code whose marks are longer than any within; a pipe would end a cell even there."""
    longest = max(map(len, re.findall("`+", text)), default=0)
    marks, space = "`" * (longest + 1), " " * bool(longest)
    return f"{marks}{space}{text}{space}{marks}".replace("|", "\\|")
