"""Sets of images with a table: a row an image (or a box), columns named by the person."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from tfds_builders.errors import DatasetError, Unreadable, quoted
from tfds_builders.image_folder import cells, labels, patients, pools, rows
from tfds_builders.image_folder.contents import Contents, Entry
from tfds_builders.image_folder.lookup import Files, Missing, Several
from tfds_builders.image_folder.names import is_picture, is_service
from tfds_builders.image_folder.options import Options
from tfds_builders.image_folder.rows import Row

_MOST_MISSING = 100
_STRAY = 0.02
"""Share of the images whose rows may contradict each other, as slips of the pen do."""
_NO_FINDING = "no finding"
_SHOWN = 40
"""Characters of a cell that is not understood."""


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
    every = list(names)
    names = [name for name in every if not is_service(name)]
    table = rows.read(path, _wanted(options))
    task = labels.task(table, options)
    contents = Contents(task.findings, task.kind, notes=list(task.notes))
    images = [name for name in names if pictures(name)]
    unread = set(every) - set(names)
    files = Files(names, pictures, [row[options.image_column] for _, row in table], unread)
    by_pattern = patients.ByPattern(pattern, images)
    ids = _patients(table, options)
    contents.notes += [*ids.notes, *by_pattern.notes, *_unknown_words(table, options)]
    _refuse_splits(table, options)
    read_entry = partial(_entry, task=task, options=options, ids=ids, by_pattern=by_pattern)
    reading = _read_rows(contents, path.name, table, options.image_column, files, read_entry)
    _refuse_missing(contents, path.name, reading.missing)
    if reading.studies:
        contents.notes.append(
            f"{reading.studies:,} rows name a folder and count for every image in it"
        )
    _refuse_torn(contents, path.name, reading.found, options)
    for image, several in reading.found.items():
        if several:
            _keep_one(contents, path.name, image, several, options)
    _refuse_strange(contents, reading.strange)
    _refuse_nobody(contents, reading.nobody, options)
    _refuse_without_boxes(contents, reading.boxes)
    for name in sorted(set(images) - set(reading.found)):
        contents.refuse(name, f"no row of {path.name} names it")
    return contents


@dataclass
class _Reading:
    """What the rows came to, before they are held against each other.

    Attributes:
        found: the rows that could be read of each image that any row names.
        missing: why no file was found, by line.
        strange: labels that were not understood.
        nobody: how many rows of each class have no patient.
        boxes: of each class the first row whose box is none, and why.
        studies: how many rows name several images.
    """

    found: dict[str, list[_Named]] = field(default_factory=lambda: defaultdict(list))
    missing: dict[str, str] = field(default_factory=dict)
    strange: list[cells.Strange] = field(default_factory=list)
    nobody: Counter[str] = field(default_factory=Counter)
    boxes: dict[str, str] = field(default_factory=dict)
    studies: int = 0


def _read_rows(
    contents: Contents,
    name: str,
    table: list[tuple[int, Row]],
    column: str,
    files: Files,
    read_entry: Callable[[str, Row], Entry],
) -> _Reading:
    reading = _Reading()
    for number, row in table:
        line = f"{name}, line {number}"
        try:
            images = files.find(row[column])
            reading.studies += len(images) > 1
            for image in images:
                rows_of_image = reading.found[image]  # named, even where it cannot be read
                rows_of_image.append(_Named(number, row[column], read_entry(image, row)))
        except Missing as error:
            reading.missing[line] = str(error)
        except Unreadable as error:
            contents.refuse(line, str(error))
            if isinstance(error, Several):  # named, so that nobody is told that they are not
                reading.found |= {image: reading.found[image] for image in error.names}
            if isinstance(error, cells.Strange):
                reading.strange.append(error)
            if isinstance(error, _Nobody):
                reading.nobody.update(error.classes)
            if isinstance(error, _NoBox):
                reading.boxes = dict.fromkeys(error.classes, f"{line}: {error}") | reading.boxes
    return reading


def _wanted(options: Options) -> list[str]:
    return [
        options.image_column, options.patient_column, options.class_column, options.split_column,
        options.sex_column, options.age_column, options.view_column,
        *options.finding_columns, *options.box_columns,
    ]  # fmt: skip


@dataclass(frozen=True)
class _Ids:
    """What the column of patients says: one spelling of each, and which are no ids any more."""

    united: dict[str, str]
    damaged: dict[str, str]
    notes: list[str]


def _patients(table: list[tuple[int, Row]], options: Options) -> _Ids:
    column = options.patient_column
    if not column:
        return _Ids({}, {}, [])
    spelled = [row[column] for _, row in table]
    united, notes = patients.united(spelled)
    return _Ids(united, patients.damaged(spelled), [f"column {quoted(column)}: {n}" for n in notes])


def _unknown_words(table: list[tuple[int, Row]], options: Options) -> list[str]:
    """Notes on cells of sex and age that say something else.

    Raises:
        DatasetError: all of them do.
    """
    notes = []
    for what, column, known, meant in (
        ("sex", options.sex_column, cells.sex, "F or M"),
        ("age", options.age_column, lambda said: cells.age(said) >= 0, "a number of years"),
    ):
        said = Counter(row[column] for _, row in table if column and _says(row[column]))
        strange = {word: n for word, n in said.items() if not known(word)}
        common = sorted(strange, key=lambda word: -strange[word])[:5]
        shown = ", ".join(word[:_SHOWN] + "..." * (len(word) > _SHOWN) for word in common)
        if strange and len(strange) == len(said):
            raise DatasetError(
                f"image_folder: column {quoted(column)} (--{what}-column) holds {shown}, none of "
                f"which is {meant}."
            )
        if strange:
            notes.append(
                f"column {quoted(column)}: in {_rows(sum(strange.values()))} {what} is {shown}, "
                f"which is not {meant}; it counts as unknown there"
            )
    return notes


def _rows(number: int) -> str:
    return f"{number:,} row{'s' * (number != 1)}"


def _says(cell: str) -> bool:
    return not cells.is_missing(cell) and not patients.is_nobody(cell)


def _refuse_splits(table: list[tuple[int, Row]], options: Options) -> None:
    if column := options.split_column:
        told = pools.parse(options.splits)
        said = {row[column] for _, row in table}
        pools.refuse_absent(told, said, f"no cell of column {quoted(column)}")
        strange = [each for each in said if _says(each) and not pools.pool(each, told)]
        pools.refuse_unknown(strange, f"column {quoted(column)}")


def _entry(
    image: str,
    row: Row,
    task: labels.Task,
    options: Options,
    ids: _Ids,
    by_pattern: patients.ByPattern,
) -> Entry:
    findings, labelled = task.read(row)
    if not any(labelled):
        raise Unreadable(f"no finding of {image} is labelled")
    pool = _pool(image, row, options)
    present = [f for f, positive in zip(task.findings, findings, strict=True) if positive]
    patient = _patient(row, options, ids) if options.patient_column else by_pattern(image)
    if patient is None:
        raise _Nobody(_no_patient(image, row, options), present)
    try:
        box = cells.box([row[c] for c in options.box_columns], options.box_columns)
    except Unreadable as error:
        raise _NoBox(str(error), present) from None
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


def _pool(image: str, row: Row, options: Options) -> str:
    """The split a row gives; "" where no column does."""
    if not options.split_column:
        return ""
    pool = pools.pool(row[options.split_column], pools.parse(options.splits))
    if not pool:
        raise Unreadable(f"no split is given for {image}")
    return pool


def _no_patient(image: str, row: Row, options: Options) -> str:
    if not options.patient_column:
        return patients.NOT_FOUND
    return f"no patient is given for {image} ({quoted(row[options.patient_column])})"


class _Nobody(Unreadable):
    """A row without a patient.

    Attributes:
        classes: the findings it has, or that it has none.
    """

    def __init__(self, reason: str, present: list[str]):
        super().__init__(reason)
        self.classes = present or [_NO_FINDING]


class _NoBox(Unreadable):
    """A row whose box is none.

    Attributes:
        classes: the findings it has.
    """

    def __init__(self, reason: str, present: list[str]):
        super().__init__(reason)
        self.classes = present


def _patient(row: Row, options: Options, ids: _Ids) -> str | None:
    column = options.patient_column
    said = row[column]
    if said in ids.damaged:
        raise Unreadable(f"column {quoted(column)} has {said}: {ids.damaged[said]}")
    return None if patients.is_nobody(said) else ids.united.get(said, said)


def _refuse_nobody(contents: Contents, lost: Counter[str], options: Options) -> None:
    """Raise a DatasetError where a pattern or column leaves a class without its patients."""
    kept: Counter[str] = Counter()
    for entry in contents.entries:
        kept.update(contents.present(entry) or [_NO_FINDING])
    if options.patient_pattern and lost:
        total = Counter(images=len(contents.entries)), Counter(images=lost.total())
        patients.refuse_lost(*total, options.patient_pattern)
    patients.refuse_lost(kept, lost, options.patient_pattern, options.patient_column, wholly=True)


def _refuse_without_boxes(contents: Contents, lost: dict[str, str]) -> None:
    """Raise a DatasetError where rows whose boxes are none leave a class without any image."""
    for finding, why in lost.items():
        k = contents.findings.index(finding)
        if not any(entry.findings[k] for entry in contents.entries):
            raise DatasetError(
                f"image_folder: {why}. No image of {finding} is left without rows like this one: "
                "mend them, or leave --box-columns out."
            )


def _refuse_strange(contents: Contents, strange: list[cells.Strange]) -> None:
    """Raise a DatasetError where labels are not understood, and not here and there alone."""
    for error in strange:
        k = contents.findings.index(error.column)
        known = {entry.findings[k] for entry in contents.entries}
        if len(known) < 2 or 10 * len(strange) > len(contents.entries):
            raise DatasetError(
                f"image_folder: {error}. So it is, or alike, in {_rows(len(strange))}: write 1 and "
                "0, or give names of findings by --class-column."
            )


def _refuse_missing(contents: Contents, table: str, missing: dict[str, str]) -> None:
    """Rows without a file: each, or in one sentence where the table is of a larger set."""
    if len(missing) > _MOST_MISSING:
        first = next(iter(missing.values()))
        contents.notes.append(f"{len(missing):,} rows of {table} name no file here, e.g. {first}")
        return
    for where, reason in missing.items():
        contents.refuse(where, reason)


def _refuse_torn(
    contents: Contents, table: str, found: dict[str, list[_Named]], options: Options
) -> None:
    """Ask where many images have rows whose labels cannot all be true."""
    exclusive = bool(options.class_column) and contents.kind != "multilabel"

    def is_torn(rows: list[_Named]) -> bool:
        entries = [row.entry for row in rows]
        differ = len({(entry.findings, entry.labelled) for entry in entries}) > 1
        same_name = len({row.said for row in rows}) == 1  # else one of them is of another file
        one = not same_name or _united(entries, contents.kind, options)
        return differ and (exclusive or not one)

    torn = [rows for rows in found.values() if is_torn(rows)]
    if len(torn) > _STRAY * len(found):
        first = torn[0]
        lines = ", ".join(str(row.line) for row in first)
        what, todo = "classes" if options.class_column else "labels", "Mend the table."
        if exclusive and not options.label_separator:
            todo = (
                "If an image may have several findings, --label-separator '|' unites their rows; "
                "else mend the table."
            )
        raise DatasetError(
            f"image_folder: {len(torn):,} of {len(found):,} images have rows of different {what} "
            f"in {table}, e.g. {first[0].entry.image} in lines {lines}. {todo}"
        )


def _keep_one(
    contents: Contents, table: str, image: str, several: list[_Named], options: Options
) -> None:
    """One entry an image: of equal rows the first, of rows of boxes all of them together."""
    first, *others = several
    lines = ", ".join(str(each.line) for each in several)
    if len({each.said for each in several}) > 1 and len({each.entry for each in several}) > 1:
        contents.refuse(image, f"lines {lines} of {table} name it in different ways and disagree")
        return
    if joined := _united([each.entry for each in several], contents.kind, options):
        contents.entries.append(joined)
        return
    if any(each.entry != first.entry for each in others):
        contents.refuse(image, f"lines {lines} of {table} disagree about it")
        return
    contents.entries.append(first.entry)
    for each in others:
        contents.refuse(f"{table}, line {each.line}", f"{image} has a row already")


def _united(entries: list[Entry], kind: str, options: Options) -> Entry | None:
    """Rows of boxes, or of a finding each, as one; None where they say more than that."""
    lists = kind == "multilabel" and bool(options.class_column)
    named = len({entry.findings for entry in entries}) > 1 and all(any(e.findings) for e in entries)
    joined = _joined(entries)
    same = {replace(each, findings=(), labelled=(), boxes=()) for each in (*entries, joined)}
    return joined if len(same) == 1 and (options.box_columns or (lists and named)) else None


def _joined(entries: list[Entry]) -> Entry:
    findings = tuple(max(each) for each in zip(*(e.findings for e in entries), strict=True))
    labelled = tuple(max(each) for each in zip(*(e.labelled for e in entries), strict=True))
    boxes = dict.fromkeys(box for entry in entries for box in entry.boxes)
    return replace(entries[0], findings=findings, labelled=labelled, boxes=tuple(boxes))
