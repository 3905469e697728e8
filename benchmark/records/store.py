"""The results folder: rows, prediction files and scores, each written whole or not at all.

rows/<cell_id>.json              what was run, how, on what, and how it ended
predictions/<cell_id>.csv.gz     what the model said (see ``predictions.py``)
scores/<cell_id>.json            what was computed from the predictions
comparisons/<table>.json         how the configurations of a table compare, two by two
cross/                           the same of rows tested on another data set
weights/, masks/, anomaly/, checkpoints/, logs/   large or local; ignored by git
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmark.errors import UserError
from benchmark.records.files import readable_json, write_atomic

Row = dict[str, Any]
ROW_SCHEMA = 1
STATUSES = ("done", "failed", "not_runnable")


def is_segmentation(row: Row) -> bool:
    """True for the row of a network that predicts masks; it has a table of its own."""
    return row["dataset"]["task"]["kind"] == "segmentation"


class Results:
    """One results folder.

    Args:
        folder: the folder; made when something is first written.
    """

    def __init__(self, folder: Path):
        self.folder = Path(folder)

    def row_path(self, cell_id: str) -> Path:
        """Where the row of a cell is or will be."""
        return self.folder / "rows" / f"{cell_id}.json"

    def predictions_path(self, cell_id: str, redistributable: bool = True) -> Path:
        """Where the prediction file of a cell is or will be.

        Args:
            redistributable: whether ids and predictions of the data set may be published.
        """
        folder = "predictions" if redistributable else "private"
        return self.folder / folder / f"{cell_id}.csv.gz"

    def scores_path(self, cell_id: str) -> Path:
        """Where the scores of a cell are or will be."""
        return self.folder / "scores" / f"{cell_id}.json"

    @property
    def cross(self) -> Results:
        """Results of this folder's rows on other data sets: rows of their own kind."""
        return Results(self.folder / "cross")

    def comparisons_path(self, table: str) -> Path:
        """Where the comparisons of a leaderboard table are or will be."""
        return self.folder / "comparisons" / f"{table}.json"

    def weights_path(self, cell_id: str) -> Path:
        """Where the best weights of a cell are or will be (not published)."""
        return self.folder / "weights" / f"{cell_id}.weights.h5"

    def masks_path(self, cell_id: str) -> Path:
        """Where the predicted masks of a segmentation cell are or will be (not published)."""
        return self.folder / "masks" / f"{cell_id}.npz"

    def anomaly_path(self, cell_id: str) -> Path:
        """Where the maps of an anomaly screen are or will be (not published)."""
        return self.folder / "anomaly" / f"{cell_id}.npz"

    @property
    def checkpoints(self) -> Path:
        """Folder in which cells that are being trained keep how far they are (not published)."""
        return self.folder / "checkpoints"

    def log_path(self, name: str) -> Path:
        """Where a worker's log is written (not published)."""
        return self.folder / "logs" / f"{name}.log"

    def write_row(self, row: Row) -> None:
        """Save a row; its ``cell_id`` names the file.

        Raises:
            ValueError: the row's status is not one of :data:`STATUSES`.
        """
        if row["status"] not in STATUSES:
            raise ValueError(f"row status {row['status']!r} is not one of {STATUSES}")
        write_atomic(self.row_path(row["cell_id"]), readable_json({"schema": ROW_SCHEMA} | row))

    def remove_row(self, cell_id: str) -> None:
        """Remove a row that another one stands for now."""
        self.row_path(cell_id).unlink(missing_ok=True)

    def read_row(self, cell_id: str) -> Row | None:
        """The row of a cell, or None where there is none.

        Raises:
            UserError: the file is there but is not a row; it is named.
        """
        path = self.row_path(cell_id)
        return _read_row(path) if path.is_file() else None

    def rows(self) -> Iterator[Row]:
        """All rows, ordered by cell id."""
        for path in sorted((self.folder / "rows").glob("*.json")):
            yield _read_row(path)

    def check_writable(self) -> None:
        """Raise a UserError where the folder cannot be made or written to."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            probe = self.folder / ".write-test"
            write_atomic(probe, b"")
            probe.unlink()
        except OSError as error:
            raise UserError(
                f"cannot write to the results folder {self.folder}: {error.strerror or error}. "
                "Choose another with --results DIR."
            ) from None


def _read_row(path: Path) -> Row:
    try:
        row = json.loads(path.read_bytes())
        if row["schema"] != ROW_SCHEMA or row["cell_id"] != path.stem:
            raise ValueError("its schema or cell id is not what its name says")
        return row
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{path}: not a readable row file ({error}). Remove it and run the cell again."
        ) from None
