"""The shape that a radiograph had when it was made, as far as a source's tables know it."""

from __future__ import annotations

import math
from typing import NamedTuple

LARGEST = 1_000_000
"""Pixels a side, and bits: what is more is a slip of the pen."""


class Shape(NamedTuple):
    """The shape of one image before anybody resized it.

    Attributes:
        width, height: pixels.
        spacing: mm from pixel to pixel; None where unknown.
        bits: that a channel was stored with; None where unknown.
    """

    width: int
    height: int
    spacing: float | None = None
    bits: int | None = None


def shape(width: str, height: str, spacing: str = "", bits: str = "") -> Shape | None:
    """A shape from the cells of a table; None where a side is no number of pixels.

    Nothing is guessed: a cell that is no positive number counts as empty.
    """
    sides = whole(width), whole(height)
    if None in sides:
        return None
    return Shape(*sides, positive(spacing), whole(bits))  # type: ignore[arg-type]  # both known


def whole(cell: str) -> int | None:
    """A positive whole number as tables have it, ``"2500"`` or ``"2500.0"``; None for all else."""
    number = positive(cell)
    return int(number) if number and number.is_integer() and number <= LARGEST else None


def positive(cell: str) -> float | None:
    """A positive finite number; None for all else."""
    try:
        number = float(cell)
    except ValueError:
        return None
    return number if math.isfinite(number) and number > 0 else None
