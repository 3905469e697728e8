"""Predictions made by any other tool, read from a CSV file. Parsed, never executed.

One line an image. Columns:

- ``image_id``: as in the data set's manifest.
- ``split``: ``train``, ``validation`` or ``test``; without this column every line is of test.
- for each finding either ``logit:<finding>``, any number, or ``probability:<finding>`` or just
  ``<finding>``, in [0, 1]. Logits are better: they do not run into ties at 0 and 1. Where a
  finding has both, the logit counts.

Further columns are ignored, what is true above all: targets and patients come from the data set.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmark.errors import UserError
from benchmark.records.predictions import SPLITS, link
from benchmark.records.tables import TableError, file_bytes, is_gzip, table, unzipped
from benchmark.task import Task

if TYPE_CHECKING:
    from pandas import DataFrame

SURE = 1e-12
"""Probabilities nearer to 0 or 1 than this are ranked as equal."""
SUM_TOLERANCE = 1e-3


class ExternalFileError(UserError):
    """A file of predictions that cannot be used; the text names the file, the line, the fault."""


@dataclass(frozen=True)
class External:
    """Predictions of N images.

    Attributes:
        split, image_id: (N,) text.
        logits: (N, F) float32.
        probabilities: (N, F) float32 in [0, 1].
    """

    split: np.ndarray
    image_id: np.ndarray
    logits: np.ndarray
    probabilities: np.ndarray


def read_external(path: Path, task: Task) -> External:
    """Read a CSV file, plain or gzipped.

    Raises:
        ExternalFileError: it is no such file, lacks a column, names an image twice, or holds a
            value that is no prediction; the line is named.
    """
    frame = _read(path)
    if "image_id" not in frame.columns:
        raise ExternalFileError(f"{path}: there is no column image_id, only {_few(frame.columns)}")
    split = (
        frame["split"].to_numpy(str) if "split" in frame.columns else np.full(len(frame), "test")
    )
    image_id = frame["image_id"].to_numpy(str)
    _refuse(path, ~np.isin(split, SPLITS), f"split is not one of {', '.join(SPLITS)}", split)
    _refuse(path, _repeated(image_id), "this image has a line already", image_id)
    columns = [_column(path, frame, finding) for finding in task.findings]
    values = np.stack([_numbers(path, frame, column) for column in columns], axis=1)
    are_logits = [column.startswith("logit:") for column in columns]
    if len(set(are_logits)) > 1:
        raise ExternalFileError(
            f"{path}: give logits of all findings or of none; here are {_few(columns)}"
        )
    if are_logits[0]:
        with np.errstate(over="ignore"):
            logits = values.astype(np.float32)
        for column, given, kept in zip(columns, values.T, logits.T, strict=True):
            _refuse(path, ~np.isfinite(kept), f"{column} is too large for a logit", given)
        return External(split, image_id, logits, link(logits, task.kind))
    for column, of_one in zip(columns, values.T, strict=True):
        outside = (of_one < 0) | (of_one > 1)
        _refuse(path, outside, f"{column} is not a probability in [0, 1]", of_one)
    if task.exclusive:
        total = values.sum(axis=1)
        off = np.abs(total - 1) > SUM_TOLERANCE
        _refuse(path, off, "the findings exclude each other, but their probabilities add to", total)
    return External(split, image_id, _logits(values, task), values.astype(np.float32))


def _read(path: Path) -> DataFrame:
    try:
        data = file_bytes(path)
        return table(unzipped(data) if is_gzip(data) else data)
    except FileNotFoundError:
        raise ExternalFileError(f"{path}: there is no such file") from None
    except TableError as error:
        raise ExternalFileError(f"{path}: not a readable CSV file: {error}") from None


def _column(path: Path, frame: DataFrame, finding: str) -> str:
    names = [f"logit:{finding}", f"probability:{finding}", finding]
    found = [name for name in names if name in frame.columns]
    if found:
        return found[0]
    near = get_close_matches(finding, frame.columns, n=1)
    hint = f" Is it {near[0]!r}?" if near else ""
    raise ExternalFileError(
        f"{path}: no column for the finding {finding!r}: one of {', '.join(names)} is needed, "
        f"there are {_few(frame.columns)}.{hint}"
    )


def _numbers(path: Path, frame: DataFrame, column: str) -> np.ndarray:
    import pandas as pd

    numbers = pd.to_numeric(frame[column], errors="coerce").to_numpy(np.float64)
    wrong = ~np.isfinite(numbers)
    _refuse(path, wrong, f"{column} is not a finite number", frame[column].to_numpy())
    return numbers


def _logits(probabilities: np.ndarray, task: Task) -> np.ndarray:
    inside = np.clip(probabilities, SURE, 1 - SURE)
    odds = np.log(inside) if task.exclusive else np.log(inside) - np.log1p(-inside)
    return odds.astype(np.float32)


def _repeated(values: np.ndarray) -> np.ndarray:
    first = np.zeros(len(values), bool)
    first[np.unique(values, return_index=True)[1]] = True
    return ~first


def _refuse(path: Path, wrong: np.ndarray, fault: str, values: np.ndarray) -> None:
    """Raise where any line is wrong, naming the first one and its value."""
    if wrong.any():
        first = int(np.flatnonzero(wrong)[0])
        more = f" (and {wrong.sum() - 1} more lines)" if wrong.sum() > 1 else ""
        raise ExternalFileError(f"{path}, line {first + 2}: {fault}: {str(values[first])!r}{more}")


def _few(names: Iterable[str]) -> str:
    names = [str(name) for name in names]
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
