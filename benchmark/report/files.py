"""The files that a row left, read for reports."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.errors import UserError
from benchmark.hashing import sha256_of_file
from benchmark.records.files import refuse_link, replacing
from benchmark.records.predictions import Predictions, as_columns, read_predictions
from benchmark.records.row import Row
from benchmark.records.store import Results

if TYPE_CHECKING:
    from pandas import DataFrame


def predictions_path(results: Results, row: Row) -> Path:
    """Where the prediction file of a row is."""
    return results.predictions_path(row.spec_id, row.dataset.redistributable)


def row_predictions(results: Results, row: Row) -> Predictions:
    """The predictions of a row of findings.

    Raises:
        PredictionFileError: the file is missing or damaged; it is named.
    """
    return read_predictions(predictions_path(results, row), row.dataset.task.kind)


def changed(results: Results, rows: Sequence[Row]) -> list[Path]:
    """The prediction files of finished rows that are not those that their runs wrote."""
    files = {predictions_path(results, row): row.predictions_sha256 for row in rows}
    return [path for path, written in files.items() if sha256_of_file(path) != written]


def predictions_frame(results: Results, rows: Sequence[Row]) -> DataFrame:
    """The predictions of finished rows of findings below each other.

    Returns:
        A line an image and row. Columns: ``spec_id``, ``seed``, and those of a prediction file
        (:mod:`benchmark.records.predictions`); a target is NaN where unlabelled.

    Raises:
        UserError: there is no row, or one of masks.
        PredictionFileError: a file is missing or damaged; it is named.
    """
    import pandas as pd

    if not rows or any(row.holds_masks for row in rows):
        raise UserError("only finished rows of findings have predictions of images")
    parts = []
    for row in rows:
        columns = as_columns(row_predictions(results, row))
        of_row = {"spec_id": row.spec_id, "seed": row.spec.seed}
        parts.append(pd.DataFrame(columns).assign(**of_row)[[*of_row, *columns]])
    return pd.concat(parts, ignore_index=True)


def own_folder(results: Path, *names: str) -> Path:
    """A folder of a results folder that is written to where a person names no other.

    Raises:
        UserError: it, or a folder in it, is a link.
    """
    folder = results.joinpath(*names)
    inner = (Path(place, name) for place, within, _ in os.walk(folder) for name in within)
    for each in (folder, *inner):
        refuse_link(each, results, "Name the folder that is meant by --out DIR.")
    return folder


def write_asked(path: Path, content: bytes | Iterable[bytes]) -> None:
    """Write a file that a person asked for, whole or not at all.

    Args:
        path: the file.
        content: all of it, or its pieces.

    Raises:
        UserError: its folder cannot be written to.
    """
    try:
        with replacing(path) as file:
            file.writelines([content] if isinstance(content, bytes) else content)
    except OSError as error:
        reason = error.strerror or error
        raise UserError(
            f"cannot write {path}: {reason}. Choose another folder, or make room."
        ) from None
