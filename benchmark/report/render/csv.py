"""Tables as CSV, every number unrounded; what cannot be printed in a text is U+FFFD.

No text is one that a spreadsheet takes for a formula (:mod:`benchmark.records.spreadsheets`).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from benchmark.records.spreadsheets import csv_text, escaped
from benchmark.report.blocks.tables import DataTable
from benchmark.report.blocks.text import printable
from benchmark.report.blocks.values import Parts

if TYPE_CHECKING:
    from pandas import DataFrame


def table(each: DataTable) -> str:
    """A line each, with the columns of all; undefined numbers are empty."""
    return lines(each.records())


def lines(records: Iterable[Parts]) -> str:
    """The same of the records of one table, or of several below each other."""
    return "".join(pieces(records))


def pieces(records: Iterable[Parts]) -> Iterator[str]:
    """The same a line at a time; the header comes first, so that all values are held until then."""
    columns: dict[str, None] = {}
    held: list[list[object]] = []
    for record in records:
        columns |= dict.fromkeys(record)
        held.append([record.get(column, "") for column in columns])
    yield _line([*columns])
    for values in held:  # what came up later is empty in the lines before
        yield _line([*values, *[""] * (len(columns) - len(values))])


def _line(values: list[object]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(map(_shown, values))
    return text.getvalue()


def frame_text(frame: DataFrame, float_format: str | None = None) -> str:
    """The same of a DataFrame."""
    texts = [name for name, column in frame.items() if column.dtype.kind == "O"]
    shown = frame.assign(**{str(name): frame[name].map(_inert) for name in texts})
    return csv_text(shown.rename(columns=_inert), float_format)


def _shown(value: object) -> object:
    return escaped(_inert(value))


def _inert(value: Any) -> Any:
    """A text without what acts on a terminal, at its whole length."""
    acts = isinstance(value, str) and not value.isprintable()
    return printable(value, len(value)) if acts else value
