"""The column ``Labels``: a Python list literal of findings, written by people and programs."""

from __future__ import annotations

import ast
import warnings
from functools import lru_cache
from pathlib import Path

MISSING = ("", "nan", "none", "null")
"""What stands for no value in a table that went through pandas, in lower case."""

_LONGEST = 4000


class Malformed(ValueError):
    """A text that is no list of labels; says why."""


@lru_cache(maxsize=2**16)
def parse(text: str) -> frozenset[str]:
    """Whole labels of one row: spaces stripped, lower case, empty ones dropped.

    Args:
        text: the cell, e.g. ``"[' pneumonia', 'Normal', '']"``; a missing value gives no labels.

    Raises:
        Malformed: not a list of texts. Nothing in it is ever executed.
    """
    text = text.strip()
    if text.lower() in MISSING:
        return frozenset()
    if len(text) > _LONGEST:
        raise Malformed(f"Labels of {len(text)} characters")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a stray backslash is a SyntaxWarning
            items = ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        raise Malformed(f"Labels are no list: {text[:60]!r}") from None
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise Malformed(f"Labels are no list of texts: {text[:60]!r}")
    return frozenset(" ".join(item.split()).lower() for item in items) - {""}


@lru_cache(maxsize=1)
def known() -> frozenset[str]:
    """Every published label, pseudo-labels included: to notice one that is misspelt or new."""
    listed = Path(__file__).with_name("labels.txt").read_text(encoding="utf-8")
    return frozenset(listed.splitlines())
