"""Pieces of HTML. Whatever comes from data passes :func:`text` before it becomes part of one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape

from benchmark.report.text import UNDEFINED, one_line

# Nothing but the site's own files, wherever they lie; 'self' does not cover file: everywhere.
_POLICY = "; ".join(
    [
        "default-src 'none'",
        *(f"{kind}-src 'self' file:" for kind in ("style", "script", "img")),
        "base-uri 'none'",
        "form-action 'none'",
    ]
)
_AMOUNT = re.compile(r"[+−-]?[\d,]*\.?\d+")
_SECONDS = {"s": 1, "min": 60, "h": 3600}
_NOT_SORTED = ("", "Sign", "Quantity", "Item")
"""First header cell of tables whose rows have an order of their own."""


def text(value: object) -> str:
    """A value from data as HTML text or attribute value: escaped, printable, one line."""
    return escape(one_line(value))


def page(title: str, body: Iterable[str], *, root: str = "", trail: Iterable[str] = ()) -> str:
    """A whole document.

    Args:
        title: plain text.
        body: HTML of the main part, its heading included.
        root: from the page to the site's folder, e.g. ``"../"``.
        trail: HTML links to the pages above this one.
    """
    lines = [
        "<!doctype html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="color-scheme" content="light dark">',
        '<meta name="referrer" content="no-referrer">',
        f"<title>{text(title)}</title>",
        f'<link rel="stylesheet" href="{root}style.css">',
        f'<script defer src="{root}script.js"></script>',
        "</head>",
        "<body>",
        '<a class="skip" href="#main">To the content</a>',
        *([f'<nav aria-label="Pages above">{" / ".join(trail)}</nav>'] if trail else []),
        '<main id="main">',
        *body,
        "</main>",
        "</body>",
        "</html>",
    ]
    return "\n".join(lines) + "\n"


def link(target: str, content: object) -> str:
    """A link to a page of the site, named by plain text."""
    return f'<a href="{escape(target)}">{text(content)}</a>'


def grid(
    header: Sequence[str],
    rows: Iterable[Sequence[str]],
    align: str,
    label: str = "",
    *,
    wrapping: bool = False,
) -> list[str]:
    """A table of HTML cells, in a box of its own that scrolls sideways where it is too wide.

    Args:
        header, rows: HTML.
        align: ``l`` or ``r`` for each column; ``r`` is a column of numbers.
        label: what the table is called by a screen reader.
        wrapping: whether long words, like hashes, are broken.
    """
    rows = list(rows)
    sortable = len(rows) > 1 and header[0] not in _NOT_SORTED
    kinds = " class=sortable" if sortable else " class=wrapping" if wrapping else ""
    heads = (
        f'<th scope="col"{_class(a)}>{cell}</th>' for cell, a in zip(header, align, strict=True)
    )
    lines = [
        f'<div class="wide" role="region" tabindex="0" aria-label="{text(label or "Table")}">',
        f"<table{kinds}>",
        f"<thead><tr>{''.join(heads)}</tr></thead>",
        "<tbody>",
    ]
    lines += [
        f"<tr>{''.join(_cell(c, a) for c, a in zip(row, align, strict=True))}</tr>" for row in rows
    ]
    return [*lines, "</tbody>", "</table>", "</div>"]


def facts(entries: Iterable[tuple[str, object]]) -> list[str]:
    """A table of two columns from plain text, name and value."""
    said = ((name, UNDEFINED if value in (None, "") else value) for name, value in entries)
    rows = (
        f'<tr><th scope="row">{text(name)}</th><td>{text(value)}</td></tr>' for name, value in said
    )
    return ['<div class="wide"><table class="facts"><tbody>', *rows, "</tbody></table></div>"]


def figure(path: str, alt: str, caption: str, *, broad: bool = False) -> list[str]:
    """A figure that follows the reader's choice of light or dark; files for papers beside it.

    Args:
        path: from the page to the figure, without its suffix.
        alt: what is to be seen, for those who do not see it.
        caption: how to read it.
        broad: whether it has panels beside each other, and scrolls where a screen is too narrow.
    """
    return [
        f"<figure{' class=broad' if broad else ''}>",
        f'<div class="wide"{" tabindex=0" if broad else ""}><picture>',
        f'<source srcset="{path}-dark.svg" media="(prefers-color-scheme: dark)">',
        f'<img src="{path}.svg" alt="{text(alt)}">',
        "</picture></div>",
        f'<figcaption>{text(caption)} <a href="{path}.svg">SVG</a>, <a href="{path}.png">PNG</a>'
        "</figcaption>",
        "</figure>",
    ]


def notice(content: str) -> str:
    """A paragraph that must not be missed, from plain text."""
    return f'<p class="notice">{text(content)}</p>'


def sort_key(cell: str) -> float | None:
    """The number that a column is sorted by: the first of an HTML cell, times in seconds."""
    first = re.sub(r"<[^>]*>", " ", cell.partition("<br>")[0]).strip()
    found = _AMOUNT.match(first)
    if not found:
        return None
    parts = re.findall(r"([\d,.]+) (s|min|h)\b", first)
    if parts:
        return sum(_number(amount) * _SECONDS[unit] for amount, unit in parts)
    return _number(found[0])


def _number(amount: str) -> float:
    return float(amount.replace(",", "").replace("−", "-"))


def _class(align: str) -> str:
    return " class=n" if align == "r" else ""


def _cell(content: str, align: str) -> str:
    if align == "l":
        return f"<td>{content}</td>"
    key = sort_key(content)
    return f"<td class=n{'' if key is None else f' data-sort={key:.10g}'}>{content}</td>"
