"""One results folder out of several that were filled apart.

Everything is read and verified before anything is written: a contradiction leaves the target as it
was. Rows that cannot be used are left out, and logged. Of two finished rows of one spec that were
made by the same code on the same data the earlier stands; rows that differ in more than their
numbers are refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmark.errors import UserError
from benchmark.hashing import sha256_of_file
from benchmark.records.door import OtherFormat, RecordError
from benchmark.records.row import Row
from benchmark.records.store import LARGEST_WEIGHTS, Results, leave_out
from benchmark.records.tables import TableError, file_bytes
from benchmark.scoring.stored import stored_headline

LEFT_OUT = "damaged, or with other predictions than theirs: left out"
SAME, TAKEN, EARLIER, LATER, FAILED = (
    "there already", "taken", "other numbers, of an earlier run: taken",
    "other numbers, of a later run: left out", "not finished",
)  # fmt: skip


@dataclass(frozen=True)
class Held:
    """A row and the folder that it is in."""

    results: Results
    row: Row

    @property
    def path(self) -> Path:
        """Of the row's file."""
        return self.results.row_path(self.row.spec_id)


def merge(sources: Sequence[Path], target: Path) -> Counter[str]:
    """Bring the rows of several results folders, with what belongs to them, into one.

    Args:
        sources: not changed.
        target: may hold rows already; no run is to be at work on it.

    Returns:
        Number of rows by what became of them.

    Raises:
        UserError: a folder holds no rows; two rows of one spec differ in their code, data or
            targets; a row of the target is of another format; the target cannot be written to,
            or through links only. They are named, and no row is written.
    """
    for folder in sources:
        if not any(Results(folder).rows()) and not any(Results(folder).cross.rows()):
            raise UserError(f"{folder}: there are no rows to merge, is it a results folder?")
    ended: Counter[str] = Counter()
    chosen: list[tuple[Held, Results]] = []
    for part in (lambda results: results, lambda results: results.cross):
        into = part(Results(target))
        left_out: list[UserError] = []
        folders = [part(Results(folder)) for folder in sources]
        rows = [Held(each, row) for each in folders for row in each.rows(left_out)]
        chosen += [(held, into) for held in _chosen(rows, into, ended)]
        ended[LEFT_OUT] += len(left_out)
    ended += Counter()  # without what there is none of
    Results(target).check_writable()
    for held, into in chosen:
        _copy(held, into)
    return ended


def _chosen(rows: Iterable[Held], into: Results, ended: Counter[str]) -> Iterator[Held]:
    """The rows that are to be in the target and are not."""
    left_out: list[UserError] = []
    standing = {row.spec_id: Held(into, row) for row in into.rows(left_out)}
    for error in left_out:
        if isinstance(error, OtherFormat):  # not to be replaced
            raise error
    new: dict[str, Held] = {}
    for held in rows:
        if held.row.done and not _is_sound(held):
            ended[LEFT_OUT] += 1
            continue
        spec_id = held.row.spec_id
        kept, becomes = _better(standing.get(spec_id), held)
        ended[becomes] += 1
        if kept is held:
            standing[spec_id] = new[spec_id] = held
    return iter(new.values())


def _better(there: Held | None, held: Held) -> tuple[Held, str]:
    """Which of two rows of a spec stands, and what becomes of the second."""
    if there is None or (held.row.done and not there.row.done):
        return held, TAKEN
    if not held.row.done:
        return there, FAILED
    _refuse_other(there, held)
    if not _is_sound(there):
        return held, TAKEN
    if there.row.predictions_sha256 == held.row.predictions_sha256:
        return there, SAME
    return (held, EARLIER) if _age(held.row) < _age(there.row) else (there, LATER)


def _age(row: Row) -> tuple[str, str]:
    return row.finished, row.predictions_sha256 or ""


def _is_sound(held: Held) -> bool:
    """Whether a finished row has the predictions that it was made with; else it is left out."""
    try:
        _verify(held)
    except UserError as error:
        leave_out(error)
        return False
    return True


def _verify(held: Held) -> None:
    row, results = held.row, held.results
    path = results.predictions_of(row)
    stored_headline(results, row)  # read, held against the row, and scored
    if sha256_of_file(path) != row.predictions_sha256:
        raise UserError(f"{path}: was changed after {held.path} was written. Run that spec again.")


def _refuse_other(there: Held, held: Held) -> None:
    """Raise a UserError where two rows of one spec differ in more than their numbers."""
    pairs = {
        "code": (there.row.code, held.row.code),
        "data": (there.row.counts, held.row.counts),
        "targets or test images": (there.row.protocol.id, held.row.protocol.id),
    }
    for what, (one, other) in pairs.items():
        if one != other:
            raise UserError(
                f"{there.path} and {held.path} are of one spec ({held.row.spec.label}) and were "
                f"made with other {what}. Nothing was merged: remove the one that is not meant, "
                "and run its spec again where it is missing."
            )


def _copy(held: Held, into: Results) -> None:
    """Copy a row and what belongs to it; the row takes its name last."""
    row, source = held.row, held.results
    spec_id = row.spec_id
    large, strange = _large_files(held, into)
    pairs = [
        (source.predictions_of(row), into.predictions_of(row)),
        (source.scores_path(spec_id), into.scores_path(spec_id)),
        (source.influence_path(spec_id), into.influence_path(spec_id)),
        (held.path, into.row_path(spec_id)),
    ]
    found = {path: _content(made) for made, path in pairs}
    into.write(large | {path: data for path, data in found.items() if data is not None})
    for path in strange:
        path.unlink(missing_ok=True)


def _large_files(held: Held, into: Results) -> tuple[dict[Path, bytes | Path], list[Path]]:
    """By where it is to be, each large file that is copied; and those there that are of other rows.

    A published folder has none, so what the target has of the same run stays.
    """
    row = held.row
    same = _predictions_of(into, row.spec_id) == row.predictions_sha256
    digests = {"weights_path": row.weights_sha256, "masks_path": None, "anomaly_path": None}
    copied: dict[Path, bytes | Path] = {}
    strange = []
    for name, digest in digests.items():
        made, path = (getattr(results, name)(row.spec_id) for results in (held.results, into))
        if _belongs(made, digest, known=True):
            copied[path] = made
        elif not _belongs(path, digest, known=same):
            strange.append(path)
    return copied, strange


def _predictions_of(results: Results, spec_id: str) -> str | None:
    """The hash of the predictions of a row; None where there is no row that can be read."""
    try:
        row = results.read_row(spec_id)
    except RecordError:
        return None
    return row.predictions_sha256 if row else None


def _belongs(path: Path, digest: str | None, *, known: bool) -> bool:
    """Whether a large file is a row's: as its hash says, or as is known where the row has none."""
    if path.is_symlink() or not path.is_file() or path.stat().st_size > LARGEST_WEIGHTS:
        return False
    return sha256_of_file(path) == digest if digest else known


def _content(path: Path) -> bytes | None:
    """The bytes of a file; None of one that is not there, or is none that we wrote."""
    try:
        return file_bytes(path)
    except (FileNotFoundError, TableError):
        return None
