"""Predictions made by any other tool, read from a file. Parsed, never executed.

CSV (commas, semicolons, tabs or bars; UTF-8, or the UTF-16 of spreadsheets), plain or gzipped,
Parquet, or NPZ with an array a column (see :mod:`benchmark.records.column_files`). One line an
image. Columns:

- ``image_id``: text, as in the data set's manifest.
- ``split``: ``train``, ``validation`` or ``test``; without this column every line is of test.
- for each finding either ``logit:<finding>``, a number, or ``probability:<finding>`` or just
  ``<finding>``, in [0, 1]. Logits are better: they do not run into ties at 0 and 1. They are kept
  as float32; a column that this makes lose its ranks is refused.

Further columns are ignored, what is true above all: targets and patients come from the data set.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import numpy as np

from benchmark.errors import UserError, quoted
from benchmark.records.column_files import Columns, csv_bytes, read_columns
from benchmark.records.lost_ranks import (
    LOST,
    SURE,
    TOLD,
    above,
    few,
    newly_equal,
    saturated,
    ties,
)
from benchmark.records.predictions import SPLITS, link
from benchmark.records.spreadsheets import unescaped
from benchmark.records.tables import Limits, TableError, file_bytes
from benchmark.task import Task

SUM_TOLERANCE = 1e-3
ID, SPLIT, LOGIT = "image_id", "split", "logit:"


class ExternalFileError(UserError):
    """A file of predictions that cannot be used; the text names the file, the line, the fault."""


@dataclass(frozen=True)
class External:
    """Predictions of N images.

    Attributes:
        split, image_id: (N,) text.
        logits: (N, F) float32.
        probabilities: (N, F) float32 in [0, 1].
        warnings: what may be wrong with them, a sentence each without its full stop.
    """

    split: np.ndarray
    image_id: np.ndarray
    logits: np.ndarray
    probabilities: np.ndarray
    warnings: tuple[str, ...] = ()


def read_external(path: Path, task: Task, limits: Limits) -> External:
    """Read a file of predictions.

    Args:
        path: the file.
        task: whose findings are predicted.
        limits: of what is read, by the images of the data set.

    Raises:
        ExternalFileError: it is no such file, lacks a column, has two for a finding, names an
            image twice, or holds a value that is no prediction; the line is named.
    """
    try:
        columns = read_columns(path, ID, lambda names: _chosen(path, names, task), limits)
    except FileNotFoundError:
        raise ExternalFileError(f"{path}: there is no such file") from None
    except TableError as error:
        raise ExternalFileError(f"{path}: not a readable file of predictions: {error}") from None
    return _Reader(path, columns, task).external()


def _chosen(path: Path, names: list[str], task: Task) -> list[str]:
    """The columns that count; those of the findings come last, in their order."""
    if ID not in names:
        raise ExternalFileError(f"{path}: there is no column {ID}, only {few(names)}")
    columns = [_column(path, names, finding) for finding in task.findings]
    if len({column.startswith(LOGIT) for column in columns}) > 1:
        raise ExternalFileError(
            f"{path}: give logits of all findings or of none; here are {few(columns)}"
        )
    return [ID, *([SPLIT] if SPLIT in names else []), *columns]


def _column(path: Path, names: list[str], finding: str) -> str:
    forms = [f"{LOGIT}{finding}", f"probability:{finding}", finding]
    found = [form for form in forms if form in names]
    if len(found) > 1:
        raise ExternalFileError(
            f"{path}: more than one column for the finding {quoted(finding)}: {', '.join(found)}. "
            "Which of them counts is not guessed: keep one, logits where there are any"
        )
    if found:
        return found[0]
    near = get_close_matches(finding, names, n=1)
    hint = f" Is it {quoted(near[0])}?" if near else ""
    raise ExternalFileError(
        f"{path}: no column for the finding {quoted(finding)}: one of {', '.join(forms)} is "
        f"needed, there are {few(names)}.{hint}"
    )


@dataclass(frozen=True)
class _Reader:
    """Makes predictions of the columns of a file, or says which line is no prediction."""

    path: Path
    columns: Columns
    task: Task

    def external(self) -> External:
        image_id, split = self._ids_and_splits()
        names = [*self.columns.values][-self.task.n_outputs :]
        values = np.stack([self._numbers(name) for name in names], axis=1)
        if names[0].startswith(LOGIT):
            logits = self._checked_logits(names, values)
            probabilities = link(logits, self.task.kind)
            told = [_whole(values), self._rounded(names, values, logits, split)]
        else:
            self._check_probabilities(names, values)
            logits, probabilities = _logits(values, self.task), values.astype(np.float32)
            told = [ties(names, values, split)]
        if not self.task.exclusive:  # else the largest one decides
            told.append(saturated(names, values, probabilities, split))
        return External(split, image_id, logits, probabilities, tuple(filter(None, told)))

    def _ids_and_splits(self) -> tuple[np.ndarray, np.ndarray]:
        image_id = self.columns.values[ID]
        if self.columns.word == "line":  # of a CSV file, perhaps one that was written here
            image_id = np.array([*map(unescaped, image_id)], image_id.dtype)
        split = self.columns.values.get(SPLIT, np.full(len(image_id), "test"))
        for name, values in ((ID, image_id), (SPLIT, split)):
            if values.dtype.kind != "U":
                raise ExternalFileError(f"{self.path}: {name} holds numbers in place of text")
        self._refuse(~np.isin(split, SPLITS), f"split is not one of {', '.join(SPLITS)}", split)
        self._refuse(_repeated(image_id), "this image has a line already", image_id)
        return image_id, split

    def _numbers(self, name: str) -> np.ndarray:
        import pandas as pd

        cells = self.columns.values[name]
        numbers = pd.to_numeric(pd.Series(cells), errors="coerce").to_numpy(np.float64)
        fault = f"{name} is not a finite number"
        if any(re.fullmatch(r"[-+]?\d+,\d+", str(cell)) for cell in cells[~np.isfinite(numbers)]):
            fault += " (a decimal comma? write 0.5, not 0,5)"
        self._refuse(~np.isfinite(numbers), fault, cells)
        return numbers

    def _checked_logits(self, names: list[str], values: np.ndarray) -> np.ndarray:
        with np.errstate(over="ignore"):
            logits = values.astype(np.float32)
        for name, given, kept in zip(names, values.T, logits.T, strict=True):
            self._refuse(~np.isfinite(kept), f"{name} is too large for a logit (float32)", given)
        if len(values) and ((values >= 0) & (values <= 1)).all():
            raise ExternalFileError(
                f"{self.path}: every value of {few(names)} lies in [0, 1]: these look like "
                "probabilities, name the columns probability:FINDING. If they are logits after "
                "all, give their probabilities, 1 / (1 + exp(-logit)), or their softmax"
            )
        return logits

    def _rounded(
        self, names: list[str], values: np.ndarray, logits: np.ndarray, split: np.ndarray
    ) -> str:
        """Which columns float32 makes lose some ranks, in words; many are refused."""
        lost = newly_equal(names, values, logits, split)
        fault = "rounded to float32, as logits are kept, images that differ rank as equal"
        if many := above(lost, LOST):
            raise ExternalFileError(
                f"{self.path}: {fault}: {many}. Subtract a constant from all logits, or give "
                "z-scores; digits that are but noise, round"
            )
        some = above(lost, TOLD)
        return some and f"{fault}: {some}"

    def _check_probabilities(self, names: list[str], values: np.ndarray) -> None:
        for name, of_one in zip(names, values.T, strict=True):
            outside = (of_one < 0) | (of_one > 1)
            self._refuse(outside, f"{name} is not a probability in [0, 1]", of_one)
        if self.task.exclusive:
            total = values.sum(axis=1)
            off = np.abs(total - 1) > SUM_TOLERANCE
            fault = "the findings exclude each other, but their probabilities add to"
            self._refuse(off, fault, total)

    def _refuse(self, wrong: np.ndarray, fault: str, values: np.ndarray) -> None:
        """Raise where any line is wrong, naming the first one and its value."""
        if wrong.any():
            first = int(np.flatnonzero(wrong)[0])
            number = first + self.columns.first
            if self.columns.word == "line":
                number = _line(self.path, number)
            where = f"{self.columns.word} {number}"
            more = f" (and {wrong.sum() - 1} more)" if wrong.sum() > 1 else ""
            raise ExternalFileError(
                f"{self.path}, {where}: {fault}: {quoted(str(values[first]))}{more}"
            )


def _line(path: Path, record: int) -> int:
    """Where in a CSV file a record begins, both from 1: there are empty lines, and long cells."""
    lines = csv_bytes(file_bytes(path)).splitlines()
    begun, within = 0, False
    for number, line in enumerate(lines, 1):
        begun += not within and bool(line.strip(b" "))
        if begun == record:
            return number
        within ^= line.count(b'"') % 2 == 1  # a cell in quotes goes on in the next line
    return record


def _logits(probabilities: np.ndarray, task: Task) -> np.ndarray:
    inside = np.clip(probabilities, SURE, 1 - SURE)
    odds = np.log(inside) if task.exclusive else np.log(inside) - np.log1p(-inside)
    return odds.astype(np.float32)


def _whole(logits: np.ndarray) -> str:
    """Whether they look cut at a decimal comma, in words; empty where they do not."""
    if not (logits == np.round(logits)).all():
        return ""
    return "every logit is a whole number, as where a decimal comma was taken for a separator"


def _repeated(values: np.ndarray) -> np.ndarray:
    first = np.zeros(len(values), bool)
    first[np.unique(values, return_index=True)[1]] = True
    return ~first
