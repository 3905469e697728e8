"""Tables as CSV, every number unrounded."""

from __future__ import annotations

import csv
import io

from benchmark.report.tables import DataTable


def table(each: DataTable) -> str:
    """A line each, with the columns of all; undefined numbers are empty."""
    records = each.records()
    columns = list(dict.fromkeys(column for record in records for column in record))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return text.getvalue()
