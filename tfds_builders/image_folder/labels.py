"""Which findings a table has, and how a row tells them: a column each, or their names in one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from tfds_builders.errors import DatasetError, quoted
from tfds_builders.image_folder import cells
from tfds_builders.image_folder.contents import check_findings
from tfds_builders.image_folder.names import one_spelling, spelling
from tfds_builders.image_folder.normal import NONE, refuse_no_normal, task_of
from tfds_builders.image_folder.options import NEGATIVE, Options
from tfds_builders.image_folder.rows import Row

Labels = tuple[tuple[int, ...], tuple[int, ...]]
"""Findings and labelled of one row, (F,) each."""

_MANY = 30
"""Classes that may be, however few rows there are."""
_FEW = 5
"""Rows that may all be of different classes."""


@dataclass(frozen=True)
class Task:
    """What a table asks.

    Attributes:
        findings: names of the F findings.
        kind: ``"binary"``, ``"multilabel"`` or ``"multiclass"``.
        read: what a row says of them; raises Unreadable.
        notes: what was taken for what.
    """

    findings: tuple[str, ...]
    kind: str
    read: Callable[[Row], Labels]
    notes: tuple[str, ...] = ()


def task(table: list[tuple[int, Row]], options: Options) -> Task:
    """What a table asks, by the columns that are named.

    Raises:
        DatasetError: fewer than two classes, or it has to be said what a cell or class means.
    """
    return _by_class(table, options) if options.class_column else _by_columns(options)


def _by_columns(options: Options) -> Task:
    """One finding a column, 1 or 0."""
    findings = options.finding_columns

    def labels(row: Row) -> Labels:
        found = [cells.label(row[column], column, options) for column in findings]
        return tuple(f for f, _ in found), tuple(known for _, known in found)

    return Task(findings, "binary" if len(findings) == 1 else "multilabel", labels)


def _by_class(table: list[tuple[int, Row]], options: Options) -> Task:
    """One column with the names of what was found: exclusive classes, or several in a cell."""
    column, separator = options.class_column, options.label_separator
    told = [cells.classes(row[column], separator) for _, row in table]
    called, notes = one_spelling(name for names in told for name in names)
    classes = sorted(set(called.values()))
    split = partial(cells.classes, separator=separator)
    _refuse_texts(column, classes, len(table))
    if separator or options.box_columns or any(len(names) > 1 for names in told):
        _refuse_lists(column, classes, "|")
        normal = {called.get(name, name) for name in cells.normal(classes, options)}
        if not normal and spelling(options.normal_class) not in ("", NONE):
            refuse_no_normal(classes, options.normal_class)
        findings = check_findings(name for name in classes if name not in normal)
        kind = "binary" if len(findings) == 1 else "multilabel"
        if not normal and spelling(options.normal_class) != NONE:
            notes.append(
                f"no name in column {quoted(column)} means normal; if one does: --normal-class"
            )
    else:
        _refuse_lists(column, classes, "|;,/+& ")
        if len(classes) < 2:
            raise DatasetError(
                f"image_folder: column {quoted(column)} has the classes "
                f"{', '.join(classes) or 'none'}; two are needed."
            )
        check_findings(classes)
        findings, kind = task_of(classes, options.normal_class)
    if not findings:
        raise DatasetError(f"image_folder: column {quoted(column)} names no finding.")

    def labels(row: Row) -> Labels:
        names = {called[name] for name in split(row[column])}
        labelled = int(bool(names) or (kind != "multiclass" and options.missing == NEGATIVE))
        return tuple(int(f in names) for f in findings), (labelled,) * len(findings)

    return Task(findings, kind, labels, tuple(notes))


def _refuse_texts(column: str, classes: Sequence[str], rows: int) -> None:
    """Ask about columns of reports, dates, numbers or names of files."""
    if len(classes) > max(_MANY, rows // 5):
        raise DatasetError(
            f"image_folder: column {quoted(column)} holds {len(classes)} different values in "
            f"{rows:,} rows, e.g. {', '.join(map(quoted, classes[:3]))}: are these names of "
            "findings? If they are, write fewer; several in a cell need --label-separator."
        )
    if len(classes) == rows > _FEW:
        raise DatasetError(
            f"image_folder: column {quoted(column)} (--class-column) has a class of its own for "
            f"every image, e.g. {', '.join(map(quoted, classes[:3]))}. Name the column whose cells "
            "are names of classes or findings."
        )


def _refuse_lists(column: str, classes: Sequence[str], separators: str) -> None:
    """Ask about cells that may hold several labels: ``A|B``, or ``A;B`` where A stands alone."""
    for separator in separators:
        for said in classes:
            parts = [part.strip() for part in said.split(separator)]
            alone = set(parts) <= set(classes) if separator == " " else set(parts) & set(classes)
            if len(parts) > 1 and (separator == "|" or alone):
                raise DatasetError(
                    f"image_folder: column {quoted(column)} has {quoted(said)}: are these several "
                    f"labels? Then say --label-separator '{separator}'."
                )
