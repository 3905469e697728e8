"""Tables as CSV, every number unrounded."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from benchmark.report.tables import DataTable
from benchmark.report.values import Parts


def table(each: DataTable) -> str:
    """A line each, with the columns of all; undefined numbers are empty."""
    return lines(each.records())


def lines(records: Sequence[Parts]) -> str:
    """The same of the records of one table, or of several below each other."""
    columns = list(dict.fromkeys(column for record in records for column in record))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return text.getvalue()
