"""The results folder: rows, prediction files and scores, each written whole or not at all.

rows/<spec_id>.json              what was run, how, on what, and how it ended
predictions/<spec_id>.csv.gz     what the model said (see ``predictions.py``)
scores/<spec_id>.json            what was computed from the predictions
influences/<spec_id>.json        what each test patient adds to its AUC
intervals/<configuration>.json   intervals of the means over its seeds
comparisons/<table>.json         how the configurations of a table compare, two by two
cross/                           the same of rows tested on another data set
weights/, masks/, anomaly/, checkpoints/, logs/   large or local
.gitignore                       keeps these out of git, and private/: what may not be passed on
"""

from __future__ import annotations

import logging
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from benchmark.errors import UserError
from benchmark.records.door import RecordError, parse_record, read_record, sealed
from benchmark.records.files import check_writable, refuse_link, write_atomic, write_in_order
from benchmark.records.row import ROW_SCHEMA, Row
from benchmark.spec import ID_LENGTH

SCORES, INFLUENCES, INTERVALS, COMPARISONS = "scores", "influences", "intervals", "comparisons"
DERIVED = (SCORES, INFLUENCES, INTERVALS, COMPARISONS)
CROSS = "cross"
LARGEST_WEIGHTS = 1 << 35
"""Bytes of what a network left at most: more than that is not hashed and not copied."""
_OF_RUNS = ("anomaly", "checkpoints", "claims", INFLUENCES, "logs", "masks", "private", "weights")
LOCAL = tuple(sorted((*_OF_RUNS, "local", "report")))
"""Folders of a results folder that are large, of one machine, or must not be passed on."""
WRITTEN = tuple(sorted({*_OF_RUNS, *DERIVED, "predictions", "rows"}))
"""Folders of a results folder that a row and what belongs to it are written to."""
IGNORED = """\
# Written by cxr-bench: large, of one machine, or not to be passed on.
""" + "".join(f"{name}/\n" for name in LOCAL)
NO_LINKS = (
    "Name the folder that is meant by --results DIR: that one may be a link, those in it may not."
)
RUN_AGAIN = (
    "Remove it and run its spec again: cxr-bench run --suite SUITE (or what made it: score, "
    "evaluate)."
)
_SHARED = ("dataset", "protocol", "environment", "counts", "model")
"""What thousands of rows say in a few ways: more than half of each."""
_ROW_FILE = re.compile(rf"[0-9a-f]{{{ID_LENGTH}}}\.json")
"""Other files in a folder of rows are of file managers and services: ``._x.json``, ``x (1).json``.
"""
log = logging.getLogger(__name__)


class Results:
    """One results folder.

    Args:
        folder: the folder; made when something is first written.
        derived: another folder for what follows from rows and predictions (:data:`DERIVED`).
        crossed: whether it is the :attr:`cross` of another one.
    """

    def __init__(self, folder: Path, *, derived: Path | None = None, crossed: bool = False):
        self.folder, self._crossed = Path(folder), crossed
        self._derived = derived or self.folder

    @property
    def top(self) -> Path:
        """The folder that a person named for what follows from rows and predictions."""
        return self._derived.parent if self._crossed else self._derived

    def row_path(self, spec_id: str) -> Path:
        """Where the row of a spec is or will be."""
        return self.folder / "rows" / f"{spec_id}.json"

    def predictions_path(self, spec_id: str, redistributable: bool = True) -> Path:
        """Where the prediction file of a spec is or will be.

        Args:
            redistributable: whether ids and predictions of the data set may be published.
        """
        folder = "predictions" if redistributable else "private"
        return self.folder / folder / f"{spec_id}.csv.gz"

    def predictions_of(self, row: Row) -> Path:
        """Where the prediction file of a row is or will be; of a row of masks its mask file."""
        return self.predictions_path(row.spec_id, row.dataset.redistributable)

    def scores_path(self, spec_id: str) -> Path:
        """Where the scores of a spec are or will be."""
        return self._derived / SCORES / f"{spec_id}.json"

    def influence_path(self, spec_id: str) -> Path:
        """Where the terms of the test patients of a spec are or will be (not published)."""
        return self._derived / INFLUENCES / f"{spec_id}.json"

    @property
    def cross(self) -> Results:
        """Results of this folder's rows on other data sets: rows of their own kind."""
        return Results(self.folder / CROSS, derived=self._derived / CROSS, crossed=True)

    def intervals_path(self, configuration: str) -> Path:
        """Where the intervals of the means over the seeds of a configuration are or will be."""
        return self._derived / INTERVALS / f"{configuration}.json"

    def comparisons_path(self, table: str) -> Path:
        """Where the comparisons of a leaderboard table are or will be."""
        return self._derived / COMPARISONS / f"{table}.json"

    def weights_path(self, spec_id: str) -> Path:
        """Where the best weights of a spec are or will be (not published)."""
        return self.folder / "weights" / f"{spec_id}.weights.h5"

    def masks_path(self, spec_id: str) -> Path:
        """Where the predicted masks of a segmentation spec are or will be (not published)."""
        return self.folder / "masks" / f"{spec_id}.npz"

    def anomaly_path(self, spec_id: str) -> Path:
        """Where the maps of an anomaly screen are or will be (not published)."""
        return self.folder / "anomaly" / f"{spec_id}.npz"

    @property
    def checkpoints(self) -> Path:
        """Folder in which specs that are being trained keep how far they are (not published)."""
        return self.folder / "checkpoints"

    def log_path(self, name: str) -> Path:
        """Where a worker's log is written (not published)."""
        return self.folder / "logs" / f"{name}.log"

    def write(self, files: Mapping[Path, bytes | Path]) -> None:
        """Write files of this folder that belong together, in their order; all or none.

        Args:
            files: their bytes, or a large file to copy, by where they are to be.

        Raises:
            UserError: one of them would be written to another folder, through a link.
            OSError: the folder cannot be written to.
        """
        self._refuse_links(path.parent for path in files)
        write_in_order(files)

    def _refuse_links(self, folders: Iterable[Path]) -> None:
        named = self.folder.parent if self._crossed else self.folder
        for folder in folders:
            refuse_link(folder, named, NO_LINKS)

    def row_bytes(self, row: Row) -> bytes:
        """The bytes of a row's file, after the checks of one that is read.

        Raises:
            RecordError: the row contradicts itself, or holds what its type does not.
        """
        data, path = sealed(row), self.row_path(row.spec_id)
        self._check(parse_record(data, path, Row, "This is a fault of cxr-bench."), path)
        return data

    def write_row(self, row: Row) -> None:
        """Save a row; its ``spec_id`` names the file.

        A row of a failure never takes the place of a finished one, nor of a file that may be one:
        that one stays.

        Raises:
            RecordError: the row contradicts itself.
            UserError: rows would be written to another folder, through a link.
        """
        path, data = self.row_path(row.spec_id), self.row_bytes(row)
        if row.done or not path.is_file() or self._is_failure(path):
            self.write({path: data})

    def _is_failure(self, path: Path) -> bool:
        try:
            return not self._read(path).done
        except RecordError:
            return False

    def remove_row(self, spec_id: str) -> None:
        """Remove a row that another one stands for now."""
        self.row_path(spec_id).unlink(missing_ok=True)

    def read_row(self, spec_id: str) -> Row | None:
        """The row of a spec, or None where there is none.

        Raises:
            RecordError: the file is there but is not a row; it is named.
        """
        path = self.row_path(spec_id)
        return self._read(path) if path.is_file() else None

    def rows(self, left_out: list[UserError] | None = None) -> Iterator[Row]:
        """All rows that can be used, ordered by spec id.

        Args:
            left_out: what is wrong with the others is added to it; it is logged, too.
        """
        known: dict[tuple[str, bytes], Any] = {}
        for path in self._row_files():
            try:
                yield _sharing(self._read(path), known)
            except RecordError as error:
                leave_out(error, left_out)

    def _row_files(self) -> list[Path]:
        folder = self.folder / "rows"
        return sorted(p for p in folder.glob("*.json") if _ROW_FILE.fullmatch(p.name))

    def _read(self, path: Path) -> Row:
        row = read_record(path, Row, RUN_AGAIN, schema=ROW_SCHEMA)
        self._check(row, path)
        return row

    def _check(self, row: Row, path: Path) -> None:
        problem = row.contradiction()
        if row.spec_id != path.stem:
            problem = f"it is the row of {row.spec_id}, under another name"
        elif (row.trained_on is not None) != self._crossed:
            problem = "rows of networks tested on another set are in the folder cross, others not"
        if problem:
            raise RecordError(f"{path}: {problem}. {RUN_AGAIN}")

    def written(self) -> dict[str, int]:
        """When each row was written last, by spec id, in nanoseconds of the file system's clock."""
        return {path.stem: path.lstat().st_mtime_ns for path in self._row_files()}

    def check_writable(self) -> None:
        """Make the folder where it is not, with a ``.gitignore`` unless there is one.

        Raises:
            UserError: it cannot be made or written to, or what is written to it would go to
                another folder, through a link.
        """
        check_writable(self.folder, "results", "--results")
        for part in (self, self.cross):
            part._refuse_links(part.folder / name for name in WRITTEN)
        ignored = self.folder / ".gitignore"
        if not ignored.exists():
            write_atomic(ignored, IGNORED.encode())

    def check_rows(self) -> None:
        """Raise a UserError where no row was ever written."""
        if not (self.folder / "rows").is_dir():
            raise UserError(no_rows(self.folder))


def no_rows(folder: Path) -> str:
    """That no row was ever written there, and what writes some."""
    return (
        f"{folder} holds no rows yet. Run: cxr-bench run --all --results {shlex.quote(str(folder))}"
    )


def leave_out(error: UserError, left_out: list[UserError] | None = None) -> None:
    """Say that something is left out of what is read, and why; noted in ``left_out``."""
    log.warning("Left out: %s", error)
    if left_out is not None:
        left_out.append(error)


def _sharing(row: Row, known: dict[tuple[str, bytes], Any]) -> Row:
    """An equal row that has what was said before it in common with others, in memory once."""
    said = {name: getattr(row, name) for name in _SHARED}
    once = {n: known.setdefault((n, msgspec.json.encode(v)), v) for n, v in said.items()}
    return msgspec.structs.replace(row, **once)
