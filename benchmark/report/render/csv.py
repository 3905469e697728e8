"""Tables as CSV, every number unrounded."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence

from benchmark.report.tables import DataTable
from benchmark.report.values import Parts


def table(each: DataTable) -> str:
    """A line each, with the columns of all; undefined numbers are empty."""
    return lines(each.records())


def lines(records: Sequence[Parts]) -> str:
    """The same of the records of one table, or of several below each other."""
    return "".join(pieces(lambda: records))


def pieces(records: Callable[[], Iterable[Parts]]) -> Iterator[str]:
    """The same a line at a time; ``records`` gives them twice, since the header comes first."""
    columns = list(dict.fromkeys(column for record in records() for column in record))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    for record in records():
        writer.writerow(record)
        yield text.getvalue()
        text.seek(0)
        text.truncate()
    yield text.getvalue()  # the header, where there is no record
