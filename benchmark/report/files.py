"""The files that a row left, read for reports."""

from __future__ import annotations

from pathlib import Path

from benchmark.errors import UserError
from benchmark.records.files import write_atomic
from benchmark.records.predictions import Predictions, read_predictions
from benchmark.records.row import Row
from benchmark.records.store import Results


def predictions_path(results: Results, row: Row) -> Path:
    """Where the prediction file of a row is."""
    return results.predictions_path(row.spec_id, row.dataset.redistributable)


def row_predictions(results: Results, row: Row) -> Predictions:
    """The predictions of a row of findings.

    Raises:
        PredictionFileError: the file is missing or damaged; it is named.
    """
    return read_predictions(predictions_path(results, row), row.dataset.task.kind)


def write_asked(path: Path, data: bytes) -> None:
    """Write a file that a person asked for, whole or not at all.

    Raises:
        UserError: its folder cannot be written to.
    """
    try:
        write_atomic(path, data)
    except OSError as error:
        reason = error.strerror or error
        raise UserError(
            f"cannot write {path}: {reason}. Choose another folder, or make room."
        ) from None
