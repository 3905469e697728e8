"""The prediction files that rows left."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from benchmark.errors import UserError
from benchmark.hashing import sha256_of_file
from benchmark.records.predictions import as_columns
from benchmark.records.row import Row
from benchmark.records.store import Results
from benchmark.scoring.stored import predictions_of

if TYPE_CHECKING:
    from pandas import DataFrame


def changed(results: Results, rows: Sequence[Row]) -> list[str]:
    """Which prediction files of finished rows are not those that their runs wrote, in words."""
    files = {results.predictions_of(row): row.predictions_sha256 for row in rows}
    return [
        f"{path} was changed after its run; its predictions are told as they are now"
        for path, written in files.items()
        if sha256_of_file(path) != written
    ]


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
        columns = as_columns(predictions_of(results, row))
        of_row = {"spec_id": row.spec_id, "seed": row.spec.seed}
        parts.append(pd.DataFrame(columns).assign(**of_row)[[*of_row, *columns]])
    return pd.concat(parts, ignore_index=True)
