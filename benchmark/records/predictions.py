"""Prediction files: what a trained model said about every image, and what was true.

A prediction file is a gzipped CSV with one line per image of the train, validation and test
splits, all from the same checkpoint and without augmentation. Columns: ``split``, ``image_id``,
``patient_id``, ``age`` (years, -1 unknown), ``sex``, ``view``, then for each finding
``target:<finding>`` (0 or 1, empty where unlabelled), ``logit:<finding>`` and
``probability:<finding>``. Every published number is recomputed from these files.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Mapping, Sized
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmark.errors import UserError
from benchmark.records.spreadsheets import csv_text, read_back
from benchmark.records.tables import TableError, file_bytes, table, unzipped

if TYPE_CHECKING:
    from pandas import DataFrame

TEXT_COLUMNS = ("split", "image_id", "patient_id", "sex", "view")
SPLITS = ("train", "validation", "test")
_NAMES = ", ".join(SPLITS)
OLDEST = 2**31 - 1
"""Years; data sets have slips of the pen, which are kept as they are."""
IN_MEMORY = "the predictions"
"""How predictions that are in no file yet are named in messages."""


class PredictionFileError(UserError):
    """A prediction file that cannot be trusted; the text names the file and the fault."""


@dataclass(frozen=True)
class Predictions:
    """Predictions of one model, N images by F findings.

    Attributes:
        findings: F names.
        kind: ``"binary"``, ``"multilabel"`` or ``"multiclass"``.
        split, image_id, patient_id, sex, view: (N,) text.
        age: (N,) int, years, -1 unknown.
        targets: (N, F) float64, 0 or 1, NaN where unlabelled.
        logits: (N, F) float32.
        probabilities: (N, F) float32 in [0, 1]; rows sum to one where findings are exclusive.
    """

    findings: tuple[str, ...]
    kind: str
    split: np.ndarray
    image_id: np.ndarray
    patient_id: np.ndarray
    age: np.ndarray
    sex: np.ndarray
    view: np.ndarray
    targets: np.ndarray
    logits: np.ndarray
    probabilities: np.ndarray

    def part(self, split: str) -> Predictions:
        """The predictions of one split, in file order."""
        keep = self.split == split
        arrays = {
            name: getattr(self, name)[keep]
            for name in (*TEXT_COLUMNS, "age", "targets", "logits", "probabilities")
        }
        return Predictions(self.findings, self.kind, **arrays)


def link(logits: np.ndarray, kind: str) -> np.ndarray:
    """Probabilities of (N, F) logits: softmax for ``"multiclass"``, else a sigmoid each.

    Computed in float64 and returned as float32, so that a saturated logit does not overflow.
    """
    from scipy.special import expit, softmax

    wide = np.asarray(logits, np.float64)
    return (softmax(wide, axis=1) if kind == "multiclass" else expit(wide)).astype(np.float32)


def encode_predictions(predictions: Predictions) -> bytes:
    """The bytes of a prediction file.

    Equal predictions give equal bytes: nine significant digits hold a float32 exactly, and the
    gzip header carries no time.

    Raises:
        PredictionFileError: the arrays are not of the same images, or a target is no number.
    """
    return zipped(as_columns(predictions), float_format="%.9g")


def read_predictions(path: Path, kind: str) -> Predictions:
    """Read a prediction file of a task of the given kind.

    Raises:
        PredictionFileError: the file is missing, truncated, not a gzipped CSV, lacks a column,
            names an image twice in one split, or holds a value that no model can have written.
    """
    return decode_predictions(read_bytes(path), kind, path)


def decode_predictions(data: bytes, kind: str, where: object = IN_MEMORY) -> Predictions:
    """The predictions in the bytes of a file; ``where`` names it in messages.

    Raises:
        PredictionFileError: see :func:`read_predictions`.
    """
    frame = decode_frame(data, where, TEXT_COLUMNS)
    findings = tuple(c.removeprefix("target:") for c in frame.columns if c.startswith("target:"))
    require(frame, where, [*TEXT_COLUMNS, "age"])
    require(frame, where, [f"{p}:{f}" for f in findings for p in ("logit", "probability")])
    if not findings or (kind == "binary" and len(findings) > 1):
        raise PredictionFileError(f"{where}: {len(findings)} findings, of a {kind} task")

    def numbers(of: str) -> np.ndarray:
        return _numbers(where, frame, [f"{of}:{finding}" for finding in findings])

    age = _numbers(where, frame, ["age"])[:, 0]
    refuse(frame, where, ~_is_age(age), "an age that is not a number of years, or -1")
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite, and is refused
        logits, probabilities = (numbers(of).astype(np.float32) for of in ("logit", "probability"))
    predictions = Predictions(
        findings,
        kind,
        **{name: frame[name].to_numpy(dtype=str) for name in TEXT_COLUMNS},
        age=age.astype(np.int64),
        targets=numbers("target"),
        logits=logits,
        probabilities=probabilities,
    )
    _check(frame, where, predictions)
    return predictions


def zipped(columns: Mapping[str, Sized], float_format: str | None = None) -> bytes:
    """A table of equally long columns as the bytes of a gzipped CSV file.

    Raises:
        PredictionFileError: they are not equally long, or a text cannot be in such a file.
    """
    import pandas as pd

    lengths = {name: len(values) for name, values in columns.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{n} of {name}" for name, n in lengths.items())
        raise PredictionFileError(f"{IN_MEMORY}: the columns are not equally long: {told}")
    text = csv_text(pd.DataFrame(columns), float_format)
    if "\r" in text:  # written as it is, and read as the end of a line
        raise PredictionFileError(f"{IN_MEMORY}: a name or an id holds a carriage return")
    return gzip.compress(text.encode(), compresslevel=6, mtime=0)


def read_bytes(path: Path) -> bytes:
    """The bytes of a prediction file.

    Raises:
        PredictionFileError: it is missing, cannot be read, or is too large to be one.
    """
    try:
        return file_bytes(path)
    except FileNotFoundError:
        raise PredictionFileError(f"{path}: the prediction file is missing") from None
    except TableError as error:
        raise PredictionFileError(f"{path}: {error}") from None


def decode_frame(data: bytes, where: object, as_text: Iterable[str]) -> DataFrame:
    """The table in the bytes of a gzipped CSV file.

    Args:
        data: of the file.
        where: names it in messages.
        as_text: columns of ids and names.

    Raises:
        PredictionFileError: they are no such file.
    """
    try:
        return read_back(table(unzipped(data), as_text=as_text))
    except TableError as error:
        raise PredictionFileError(
            f"{where}: not a readable prediction file: {error}. Remove it and run the spec again."
        ) from None


def require(frame: DataFrame, where: object, columns: Iterable[str]) -> None:
    """Raise a PredictionFileError where a column is missing."""
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise PredictionFileError(f"{where}: missing column(s) {', '.join(missing)}")


def refuse(frame: DataFrame, where: object, wrong: np.ndarray, fault: str) -> None:
    """Raise a PredictionFileError where any line is wrong, (N,) or (N, F) bool; names the first."""
    if wrong.any():
        line = int(np.argwhere(wrong)[0][0])
        image = str(frame["image_id"].iloc[line])
        raise PredictionFileError(f"{where}, line {line + 2} (image {image!r}): {fault}")


def refuse_odd_images(frame: DataFrame, where: object) -> None:
    """Raise a PredictionFileError for an unknown split, or an image that a split holds twice."""
    refuse(frame, where, ~frame["split"].isin(SPLITS).to_numpy(), f"a split other than {_NAMES}")
    again = frame.duplicated(["split", "image_id"]).to_numpy()
    refuse(frame, where, again, "this split has a line of this image already")


def as_columns(predictions: Predictions) -> dict[str, Sized]:
    """The columns of a prediction file, (N,) each, in its order.

    Raises:
        PredictionFileError: a target is neither a small whole number nor NaN.
    """
    import pandas as pd

    columns: dict[str, Sized] = {
        name: getattr(predictions, name)
        for name in ("split", "image_id", "patient_id", "age", "sex", "view")
    }
    for i, finding in enumerate(predictions.findings):
        try:
            columns[f"target:{finding}"] = pd.array(predictions.targets[:, i], dtype="Int8")
        except (TypeError, ValueError, OverflowError) as error:
            raise PredictionFileError(f"{IN_MEMORY}: targets of {finding}: {error}") from None
        columns[f"logit:{finding}"] = predictions.logits[:, i].astype(np.float64)
        columns[f"probability:{finding}"] = predictions.probabilities[:, i].astype(np.float64)
    return columns


def _numbers(where: object, frame: DataFrame, columns: list[str]) -> np.ndarray:
    """(N, columns) float64; an empty cell is NaN, any other text an error."""
    import pandas as pd

    values = []
    for column in columns:
        cells = frame[column]
        if cells.dtype == bool:
            raise PredictionFileError(f"{where}: {column}: truth values in place of numbers")
        try:
            values.append(pd.to_numeric(cells.replace("", None)).to_numpy(np.float64))
        except (ValueError, TypeError, OverflowError) as error:
            raise PredictionFileError(f"{where}: {column}: {error}") from None
    return np.stack(values, axis=1)


def _is_age(age: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        return (age >= -1) & (age <= OLDEST) & (age == np.floor(age))


def _check(frame: DataFrame, where: object, predictions: Predictions) -> None:
    refuse_odd_images(frame, where)
    targets, probabilities = predictions.targets, predictions.probabilities
    faults = {
        "a target other than 0, 1 or empty": ~(np.isin(targets, (0, 1)) | np.isnan(targets)),
        "a logit that is not a finite number": ~np.isfinite(predictions.logits),
        "a probability outside [0, 1]": ~((probabilities >= 0) & (probabilities <= 1)),
    }
    for fault, wrong in faults.items():
        refuse(frame, where, wrong, fault)
