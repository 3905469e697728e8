"""Sets of images with a table: a row an image (or a box), columns named by the person."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from tfds_builders.errors import DatasetError, Unreadable
from tfds_builders.image_folder import cells, labels, patients, pools, rows
from tfds_builders.image_folder.contents import Contents, Entry
from tfds_builders.image_folder.lookup import Files, Missing
from tfds_builders.image_folder.names import is_picture, is_service
from tfds_builders.image_folder.options import Options
from tfds_builders.image_folder.rows import Row

_MOST_MISSING = 100


@dataclass(frozen=True)
class _Named:
    """A row that named an image: its line, the name as it was written, and what it says."""

    line: int
    said: str
    entry: Entry


def read(
    path: Path,
    names: Iterable[str],
    options: Options,
    pattern: re.Pattern | None,
    pictures: Callable[[str], bool] = is_picture,
) -> Contents:
    """Images that a table names; what fits no file, and files without a row, are refused.

    A name from the table is only ever looked up among the files that are there (see
    :class:`tfds_builders.image_folder.lookup.Files`).

    Args:
        path: the table: comma, semicolon or tab between columns, UTF-8.
        names: every file below the folder.
        options: names of the columns.
        pattern: finds the patient in a name or path; None where a column has it, or nothing.
        pictures: tells file names that promise an image.

    Raises:
        DatasetError: the table cannot be read, has no such column, or it has to be said what a
            class or split means.
    """
    names = [name for name in names if not is_service(name)]
    table = rows.read(path, _wanted(options))
    task = labels.task(table, options)
    contents = Contents(task.findings, task.kind, notes=list(task.notes))
    images = [name for name in names if pictures(name)]
    files, by_pattern = Files(names, pictures), patients.ByPattern(pattern, images)
    united, notes = _patients(table, options)
    contents.notes += notes
    _check_column("sex", options.sex_column, table, cells.sex, "F or M")
    _refuse_splits(table, options)
    found: dict[str, list[_Named]] = defaultdict(list)
    missing: dict[str, str] = {}
    unpatterned = 0
    for number, row in table:
        try:
            said = row[options.image_column].strip()
            image = files.find(said)
            found[image] += []
            entry = _entry(image, row, task, options, united, by_pattern)
        except Missing as error:
            missing[f"{path.name}, line {number}"] = str(error)
            continue
        except Unreadable as error:
            unpatterned += str(error) == patients.NOT_FOUND
            contents.refuse(f"{path.name}, line {number}", str(error))
            continue
        found[image].append(_Named(number, said, entry))
    _refuse_missing(contents, path.name, missing)
    for image, several in found.items():
        if several:
            _keep_one(contents, path.name, image, several, options)
    if pattern:
        kept, lost = Counter(images=len(contents.entries)), Counter(images=unpatterned)
        patients.refuse_lost(kept, +lost, pattern.pattern)
    for name in sorted(set(images) - set(found)):
        contents.refuse(name, f"no row of {path.name} names it")
    return contents


def _wanted(options: Options) -> list[str]:
    return [
        options.image_column, options.patient_column, options.class_column, options.split_column,
        options.sex_column, options.age_column, options.view_column,
        *options.finding_columns, *options.box_columns,
    ]  # fmt: skip


def _patients(table: list[tuple[int, Row]], options: Options) -> tuple[dict[str, str], list[str]]:
    if not options.patient_column:
        return {}, []
    united, notes = patients.united(row[options.patient_column].strip() for _, row in table)
    return united, [f"column {options.patient_column!r}: {note}" for note in notes]


def _check_column(
    what: str, column: str, table: list[tuple[int, Row]], read: Callable, known: str
) -> None:
    said = {row[column].strip() for _, row in table if column and not cells.is_missing(row[column])}
    if said and not any(map(read, said)):
        raise DatasetError(
            f"image_folder: column {column!r} (--{what}-column) holds "
            f"{', '.join(sorted(said)[:5])}, none of which is {known}."
        )


def _refuse_splits(table: list[tuple[int, Row]], options: Options) -> None:
    if column := options.split_column:
        told = pools.parse(options.splits)
        said = {row[column].strip() for _, row in table}
        strange = [each for each in said if each and not pools.pool(each, told)]
        pools.refuse_unknown(strange, f"column {column!r}")


def _entry(
    image: str,
    row: Row,
    task: labels.Task,
    options: Options,
    united: dict[str, str],
    by_pattern: patients.ByPattern,
) -> Entry:
    findings, labelled = task.read(row)
    if not any(labelled):
        raise Unreadable(f"no finding of {image} is labelled")
    pool = ""
    if options.split_column:
        pool = pools.pool(row[options.split_column], pools.parse(options.splits))
        if not pool:
            raise Unreadable(f"no split is given for {image}")
    patient = _patient(image, row, options, united) if options.patient_column else by_pattern(image)
    if patient is None:
        raise Unreadable(patients.NOT_FOUND)
    box = (
        cells.box([row[c] for c in options.box_columns], options.box_columns)
        if options.box_columns
        else None
    )
    present = [f for f, positive in zip(task.findings, findings, strict=True) if positive]
    return Entry(
        image,
        patient,
        findings,
        labelled,
        pool,
        age=cells.age(row[options.age_column]) if options.age_column else -1,
        sex=cells.sex(row[options.sex_column]) if options.sex_column else "",
        view=cells.view(row[options.view_column]) if options.view_column else "",
        boxes=tuple((finding, *box) for finding in present) if box else (),
    )


def _patient(image: str, row: Row, options: Options, united: dict[str, str]) -> str:
    column = options.patient_column
    said = row[column].strip()
    if patients.is_nobody(said):
        raise Unreadable(f"no patient is given for {image} ({column} is {said!r})")
    if patients.is_rounded(said):
        raise Unreadable(f"column {column!r} has {said}: {patients.ROUNDED}")
    return united.get(said, said)


def _refuse_missing(contents: Contents, table: str, missing: dict[str, str]) -> None:
    """Rows without a file: each, or in one line where the table is of a larger set."""
    if len(missing) > _MOST_MISSING:
        missing = {f"{table}, {len(missing):,} rows": f"e.g. {next(iter(missing.values()))}"}
    for where, reason in missing.items():
        contents.refuse(where, reason)


def _keep_one(
    contents: Contents, table: str, image: str, several: list[_Named], options: Options
) -> None:
    """One entry an image: of equal rows the first, of rows of boxes all of them together."""
    first, *others = several
    lines = ", ".join(str(each.line) for each in several)
    if len({each.said for each in several}) > 1 and len({each.entry for each in several}) > 1:
        contents.refuse(image, f"lines {lines} of {table} name it in different ways and disagree")
        return
    if options.box_columns:
        joined = _joined([each.entry for each in several])
        if {replace(each.entry, findings=(), labelled=(), boxes=()) for each in several} == {
            replace(joined, findings=(), labelled=(), boxes=())
        }:
            contents.entries.append(joined)
            return
    if any(each.entry != first.entry for each in others):
        contents.refuse(image, f"lines {lines} of {table} disagree about it")
        return
    contents.entries.append(first.entry)
    for each in others:
        contents.refuse(f"{table}, line {each.line}", f"{image} has a row already")


def _joined(entries: list[Entry]) -> Entry:
    findings = tuple(max(each) for each in zip(*(e.findings for e in entries), strict=True))
    labelled = tuple(max(each) for each in zip(*(e.labelled for e in entries), strict=True))
    boxes = dict.fromkeys(box for entry in entries for box in entry.boxes)
    return replace(entries[0], findings=findings, labelled=labelled, boxes=tuple(boxes))
