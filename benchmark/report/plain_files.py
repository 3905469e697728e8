"""Numbers as CSV and JSON files, unrounded."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence

from benchmark.hashing import canonical_json


def csv_file(lines: Sequence[Mapping[str, object]]) -> bytes:
    """A line each, with the columns of all; undefined numbers are empty."""
    columns = list(dict.fromkeys(column for line in lines for column in line))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return text.getvalue().encode()


def json_file(parts: Mapping[str, Sequence[bytes]]) -> bytes:
    """One line per entry: quick to write, and a change shows as the lines it is in.

    Args:
        parts: name -> entries as :func:`json_line` writes them.
    """
    blocks = [f'"{name}":[\n'.encode() + b",\n".join(of) + b"\n]" for name, of in parts.items()]
    return b"{\n" + b",\n".join(blocks) + b"\n}\n"


def json_line(**values: object) -> bytes:
    """An entry of a JSON file."""
    return canonical_json(values)
