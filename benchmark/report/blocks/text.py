"""Numbers and names as text."""

from __future__ import annotations

import re
from collections.abc import Collection

UNDEFINED = "–"
LONGEST = 4000
"""Characters of a line of a message: the longest that we say ourselves lists all models."""
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
# An underscore inside a word is no emphasis and stays readable in the source.
_EDGE_UNDERSCORE = re.compile(r"(?<![^\W_])_|_(?![^\W_])")


def one_line(value: object, *, within: bool = False) -> str:
    """A value from data as one line of text, nothing escaped.

    White space becomes single spaces; what cannot be printed (control characters, changes of
    writing direction) becomes U+FFFD.

    Args:
        value: anything.
        within: whether more stands on either side, so that a space at an end counts.
    """
    text = str(value)
    line = " ".join(text.split())
    if within and text and not text.isspace():
        line = " " * text[0].isspace() + line + " " * text[-1].isspace()
    elif within:
        line = " " * bool(text)
    return _shown(line)


def averaged(inside: Collection[str], findings: Collection[str]) -> str:
    """What a mean over findings is of; empty where there is one finding, and so no mean."""
    if len(findings) < 2:
        return ""
    if len(inside) == len(findings):
        return f"mean over {len(findings)} findings"
    return f"mean over {len(inside)} of {len(findings)} findings: {', '.join(inside) or 'none'}"


def printable(text: str, most: int = LONGEST) -> str:
    """Lines for a terminal: what cannot be printed becomes U+FFFD, and a long line is cut.

    Args:
        text: a message, which may quote what is in a file.
        most: characters of a line.
    """
    return "\n".join(_cut(_shown(line), most) for line in text.split("\n"))


def _cut(line: str, most: int) -> str:
    return line if len(line) <= most else f"{line[:most]} ... ({len(line):,} characters)"


def _shown(line: str) -> str:
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in line)


def plain(value: object, *, within: bool = False) -> str:
    """A value from data as one line of Markdown that shows exactly that text; see one_line."""
    line = one_line(value, within=within)
    line = re.sub(r"[\\`*\[\]|~#$]", r"\\\g<0>", line)
    line = _EDGE_UNDERSCORE.sub(r"\_", line)
    return re.sub(r"[&<>]", lambda match: _ENTITIES[match[0]], line)


def number(value: float | None, *, sign: bool = False) -> str:
    """Three decimals with a true minus sign; an en dash where undefined.

    ``sign``: show a plus, too.
    """
    if value is None:
        return UNDEFINED
    rounded = round(value, 3) + 0.0  # -0.0004 is shown as 0.000, not as minus zero
    return f"{rounded:{'+' if sign and rounded else ''}.3f}".replace("-", "−")


def p_value(p: float) -> str:
    """A p-value with three decimals, ``< 0.001`` below."""
    return number(p) if p >= 0.001 else "< 0.001"


def interval(low: float | None, high: float | None) -> str:
    """``[low, high]`` with a no-break space, or nothing where undefined."""
    return (
        "" if low is None or high is None else f"[{number(low)},\N{NO-BREAK SPACE}{number(high)}]"
    )


def span(values: Collection[float]) -> str:
    """The least and the greatest of one value or more."""
    least, most = number(min(values)), number(max(values))
    return least if least == most else f"{least} to {most}"


def count(value: int | None) -> str:
    """A whole number with thousands separators."""
    return UNDEFINED if value is None else f"{value:,}"


def counted(n: int, what: str) -> str:
    """``1 group``, ``1,200 groups``."""
    return f"{n:,} {what}{'s' * (n != 1)}"


def duration(seconds: float | None) -> str:
    """Seconds as a person says it: ``8.2 s``, ``3 min 12 s``, ``2 h 05 min``."""
    if seconds is None:
        return UNDEFINED
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours:,} h {minutes:02d} min"
