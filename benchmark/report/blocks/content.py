"""Pieces of a line: words, and what is set off from them. Renderers know how each is written."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Code:
    """What a person types or a file holds, in a fixed-width face."""

    text: str


@dataclass(frozen=True)
class Strong:
    """What must not be missed."""

    content: Content


@dataclass(frozen=True)
class Emphasis:
    """A word that is spoken about."""

    content: Content


@dataclass(frozen=True)
class Link:
    """A way to another place: ``#anchor``, or a path from the document's own place."""

    target: str
    content: Content


@dataclass(frozen=True)
class Figures:
    """Digits and signs as they were formatted here, with their own spaces; no text from data."""

    text: str


@dataclass(frozen=True)
class Open:
    """What is left for a person to fill in."""

    text: str


@dataclass(frozen=True)
class Break:
    """The line ends and goes on below."""


BREAK = Break()

Piece = str | Code | Strong | Emphasis | Link | Figures | Open | Break
Content = Piece | tuple["Content", ...]
"""A line. A ``str`` is text, from data or our own: each renderer writes exactly that text."""


def with_code(text: str) -> Content:
    """A text of a suite file or the like, in which what stands between backticks is code."""
    pieces = re.split("`([^`]+)`", text)
    return tuple(Code(piece) if k % 2 else piece for k, piece in enumerate(pieces) if piece)


def joined(between: Content, parts: list[Content] | tuple[Content, ...]) -> Content:
    """The parts as one line, with something between each two."""
    line: list[Content] = []
    for part in parts:
        line += [between, part] if line else [part]
    return tuple(line)
