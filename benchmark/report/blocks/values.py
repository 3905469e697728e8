"""What stands in a cell: kinds of values, each with how it reads, sorts and goes into a file.

Plain values stand for themselves: an ``int`` is a count, a ``float`` a number with three decimals,
a ``str`` or another line (:mod:`benchmark.report.blocks.content`) is text, None is undefined.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from benchmark.report.blocks.content import BREAK, Break, Content, Emphasis, Figures, Link, Strong
from benchmark.report.blocks.text import (
    UNDEFINED,
    count,
    duration,
    interval,
    number,
    one_line,
    p_value,
)

Parts = dict[str, Any]
"""Columns of a file and what stands in them, unrounded."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """A quantity of a configuration.

    Attributes:
        mean: mean over the seeds; None where any seed leaves it undefined.
        seed_sd: standard deviation over seeds (ddof 1), None with one seed. Training chance.
        low, high: 95 % interval of the mean from the choice of patients, None where there is none.
            Sampling of the images; it does not hold the seed spread.
    """

    mean: float | None
    seed_sd: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def limits(self) -> tuple[float, float] | None:
        """Both ends of the interval, where there is one."""
        return None if self.low is None or self.high is None else (self.low, self.high)

    def as_dict(self) -> dict[str, float | None]:
        """Its attributes by name."""
        return asdict(self)

    def parts(self, name: str) -> Parts:
        """All of it in columns of a file."""
        ends = {f"{name}_{end}": getattr(self, end) for end in ("seed_sd", "low", "high")}
        return {name: self.mean} | ends


@dataclass(frozen=True)
class Cell:
    """A value of a kind of its own.

    Attributes:
        shown: as a person reads it.
        amount: what a column is sorted by; None stands last.
        parts: name of the column -> columns of a file; without it a file holds what is shown.
    """

    shown: Content
    amount: float | None = None
    parts: Callable[[str], Parts] | None = None


Value = Cell | Measurement | Content | int | float | None

ABSENT = Cell("", parts=lambda name: {})
"""In a row to which a column does not apply. A file of such rows lacks the column."""


def mean_of(m: Measurement) -> Cell:
    """A measurement of which only the mean is shown; a file holds all of it."""
    return Cell(Figures(number(m.mean)), m.mean, m.parts)


def difference(m: Measurement) -> Cell:
    """A measurement with its sign, which says which of two is ahead."""
    return Cell(_above(number(m.mean, sign=True), m), m.mean, m.parts)


def limits(low: float | None, high: float | None) -> Cell:
    """Both ends of an interval, or neither."""
    ends = {"low": low, "high": high}
    return Cell(
        Figures(interval(low, high) or UNDEFINED),
        low,
        lambda name: {f"{name}_{end}": value for end, value in ends.items()},
    )


def p_of(value: float) -> Cell:
    """The p-value of a test."""
    return Cell(p_value(value), value, lambda name: {name: value})


def seconds(value: float | None) -> Cell:
    """A duration."""
    return Cell(duration(value), value, lambda name: {name: value})


def marked(value: Value, mark: Content) -> Cell:
    """A value with something behind it; files hold the value alone."""
    bare = cell(value)
    return Cell((bare.shown, mark), bare.amount, lambda name: parts(bare, name))


def cell(value: Value) -> Cell:
    """Any value: what a plain one stands for."""
    if isinstance(value, Cell):
        return value
    if isinstance(value, Measurement):
        return Cell(_above(with_spread(value), value), value.mean, value.parts)
    if value is None or isinstance(value, int | float):
        said = count(value) if isinstance(value, int) else Figures(number(value))
        return Cell(said, value, lambda name: {name: value})
    return Cell(value)


def with_spread(m: Measurement) -> str:
    """The mean, and how far seeds are apart where there are several."""
    return number(m.mean) + ("" if m.seed_sd is None else f"\xa0±\xa0{number(m.seed_sd)}")


def shown(value: Value) -> Content:
    """A value as a line."""
    return cell(value).shown


def amount(value: Value) -> float | None:
    """What a value is sorted by; None for text and for what is undefined."""
    return cell(value).amount


def parts(value: Value, name: str) -> Parts:
    """A value as a file holds it, in a column of that name or several."""
    found = cell(value)
    return found.parts(name) if found.parts else {name: as_text(found)}


def as_text(value: Value) -> str:
    """A value as plain text, nothing escaped."""
    match shown(value):
        case str(text):
            return text
        case tuple(pieces):
            return "".join(map(as_text, pieces))
        case Strong(content) | Emphasis(content) | Link(_, content):
            return as_text(content)
        case Break():
            return " "
        case piece:
            return piece.text


def one_text(value: Value) -> str:
    """The same as one printable line."""
    return one_line(as_text(value))


def _above(figures: str, m: Measurement) -> Content:
    """With the interval below where there is one."""
    ends = interval(m.low, m.high)
    return (Figures(figures), BREAK, Figures(ends)) if ends else Figures(figures)
