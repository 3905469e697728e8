"""The manifest of a prepared set, ``manifest.csv``: one line per image. Read and checked here."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.data.facts import SPLITS
from benchmark.hashing import sha256
from benchmark.records.door import RecordError, record_bytes
from benchmark.records.spreadsheets import read_back

if TYPE_CHECKING:
    import pandas as pd

MANIFEST = "manifest.csv"
TEXT = ("image_id", "patient_id", "split", "sha256", "sex", "view", "label_source")
NUMBERS = ("width", "height", "age")
OF_MASKS = ("mask_sha256", "pairing")
TARGET, LABELLED = "target:", "labelled:"


def read_manifest(path: Path, expected: str, todo: str) -> pd.DataFrame:
    """Read a manifest; ids, sex and view stay text, however much they look like numbers.

    Args:
        path: the file.
        expected: its SHA-256.
        todo: what to do where it cannot be used, a sentence.

    Returns:
        A pandas DataFrame, one line per image; see
        :meth:`benchmark.data.prepared.Prepared.manifest`.

    Raises:
        RecordError: it is missing, changed, or lacks columns or has wrong values in them.
    """
    data = _unchanged(path, expected, todo)
    try:
        frame = _frame(data)
        problem = _problem(frame)
    except (ValueError, OverflowError) as error:  # those of pandas' parser are ValueErrors
        problem = f"not a manifest ({error})"
    if problem:
        raise RecordError(f"{path}: {problem}. {todo}")
    return frame


def listed_findings(path: Path, expected: str, todo: str) -> list[str]:
    """The findings of a manifest in their order, without reading more of it than its hash takes.

    Raises:
        RecordError: it is missing or changed.
    """
    header = io.BytesIO(_unchanged(path, expected, todo)).readline()
    return _findings(next(csv.reader([header.decode(errors="replace")]), []))


def _unchanged(path: Path, expected: str, todo: str) -> bytes:
    data = record_bytes(path, todo)
    if sha256(data) != expected:
        raise RecordError(f"{path}: was changed after the set was prepared. {todo}")
    return data


def _frame(data: bytes) -> pd.DataFrame:
    import pandas as pd

    text, numbers = dict.fromkeys(TEXT + OF_MASKS, str), dict.fromkeys(NUMBERS, "int64")
    return read_back(pd.read_csv(io.BytesIO(data), dtype=text | numbers, keep_default_na=False))


def _problem(frame: pd.DataFrame) -> str:
    """What is wrong with the columns and their values; empty where nothing is."""
    findings = _findings(frame.columns)
    yes_or_no = [f"{prefix}{f}" for f in findings for prefix in (TARGET, LABELLED)]
    wanted = [*TEXT, *NUMBERS, *(() if findings else OF_MASKS), *yes_or_no]
    if lacking := [column for column in wanted if column not in frame.columns]:
        return f"lacks the column {', '.join(lacking)}"
    if not frame["split"].isin(SPLITS).all():
        return f"names a split that is none of {', '.join(SPLITS)}"
    wrong = [column for column in yes_or_no if not frame[column].isin((0, 1)).all()]
    return f"has values other than 0 and 1 under {', '.join(wrong)}" if wrong else ""


def _findings(columns: Iterable[str]) -> list[str]:
    return [name.removeprefix(TARGET) for name in columns if name.startswith(TARGET)]
