"""The leaderboard's Markdown as HTML, so that both say the same in the same words.

Understands what this package writes: headings, anchors, tables, lists, paragraphs; in a line
backslash escapes, code, bold, italics, line breaks and links within the site. Anything else is
text and is escaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from html import escape, unescape
from itertools import groupby

from benchmark.report.html.elements import grid

_TOKEN = re.compile(
    r"\\(?P<literal>.)"
    r"|`(?P<code>[^`]*)`"
    r"|\*\*(?P<bold>(?:\\.|[^*\\])+)\*\*"
    r"|\*(?P<italic>(?:\\.|[^*\\])+)\*"
    r"|\[(?P<name>(?:\\.|[^\]\\])*)\]\((?P<target>[^)\s]*)\)"
    r"|(?P<line_break><br>)"
)
_WITHIN_THE_SITE = re.compile(r"#?[\w./-]+(#[\w.-]+)?")
_ANCHOR = re.compile(r'<a id="([\w-]+)"></a>')
_HEADING = re.compile(r"(#{1,6}) (.*)")
_BETWEEN_CELLS = re.compile(r"(?<!\\) \| ")


def render(lines: Iterable[str]) -> list[str]:
    """HTML lines of Markdown lines."""
    html: list[str] = []
    anchor, title = "", ""
    names: set[str] = set()
    for kind, block in groupby(lines, _kind):
        block = list(block)
        if kind == "anchor":
            anchor = _ANCHOR.fullmatch(block[-1])[1]
        elif kind == "heading":
            for line in block:
                marks, title = _HEADING.fullmatch(line).groups()
                level, name = f"h{len(marks)}", anchor or _slug(title)
                named = f' id="{name}"' if name not in names else ""
                html.append(f"<{level}{named}>{inline(title)}</{level}>")
                names.add(name)
                anchor = ""
        elif kind == "table":
            html += _table(block, title)
        elif kind == "list":
            html += ["<ul>", *(f"<li>{inline(line[2:])}</li>" for line in block), "</ul>"]
        elif kind == "paragraph":
            html.append(f"<p>{inline(' '.join(block))}</p>")
    return html


def inline(line: str) -> str:
    """One line of Markdown as HTML."""
    return "".join(_pieces(line))


def _slug(title: str) -> str:
    """What a Markdown reader calls a heading in links to it."""
    return re.sub(r"[^a-z0-9-]", "", title.lower().replace(" ", "-"))


def _kind(line: str) -> str:
    if not line.strip():
        return "blank"
    if _ANCHOR.fullmatch(line):
        return "anchor"
    if _HEADING.fullmatch(line):
        return "heading"
    return {"|": "table", "- ": "list"}.get(line[0] if line[0] == "|" else line[:2], "paragraph")


def _table(block: list[str], title: str) -> list[str]:
    header, rules, *rows = (_BETWEEN_CELLS.split(line[2:-2]) for line in block)
    align = "".join("r" if rule.endswith(":") else "l" for rule in rules)
    cells = ([inline(cell) for cell in row] for row in rows)
    plain_title = re.sub(r"<[^>]*>", "", inline(title))
    return grid([inline(cell) for cell in header], cells, align, unescape(plain_title))


def _pieces(line: str) -> Iterator[str]:
    end = 0
    for token in _TOKEN.finditer(line):
        yield _text(line[end : token.start()])
        yield _piece(token)
        end = token.end()
    yield _text(line[end:])


def _piece(token: re.Match[str]) -> str:
    kind, found = token.lastgroup, token.groupdict()
    if kind == "target" and _WITHIN_THE_SITE.fullmatch(found["target"]):
        return f'<a href="{found["target"]}">{inline(found["name"])}</a>'
    if kind == "code":
        return f"<code>{escape(found['code'])}</code>"
    if kind == "bold":
        return f"<strong>{inline(found['bold'])}</strong>"
    if kind == "italic":
        return f"<em>{inline(found['italic'])}</em>"
    if kind == "line_break":
        return "<br>"
    return _text(found["literal"] if kind == "literal" else token[0])


def _text(markdown: str) -> str:
    """Text whose ``&``, ``<`` and ``>`` may stand as entities already."""
    return escape(unescape(markdown))


def as_text(markdown: str) -> str:
    """One line of Markdown as plain text."""
    return unescape(re.sub(r"<[^>]*>", "", inline(markdown)))
