"""Every column that a table or a file may have, and what it means."""

from __future__ import annotations

from typing import NamedTuple

from benchmark.records.predictions import SPLITS
from benchmark.report.blocks.tables import Column
from benchmark.report.blocks.values import as_text
from benchmark.report.columns import COLUMNS, NAMES, Entry, quantity
from benchmark.report.export.fields import FIELDS
from benchmark.report.gathering.configuration import QUANTITIES
from benchmark.scoring.gap import GAPS
from benchmark.scoring.uncertainty import INTERVALS

WIDE = ("measurements", "test_auc_per_finding")
"""Fields that are many columns of a CSV file; as columns each has a name of its own."""


_OWN = {
    "test_f1_frozen": "F1, test, threshold as it is",
    "subgroup_gap": "Largest gap in AUC between subgroups",
}
"""Quantities whose name is of no split and metric."""


class Meaning(NamedTuple):
    """A column in words.

    Attributes:
        name: by which it is asked for, and what it is called in CSV files.
        header: above it in tables.
        meaning: what it holds.
    """

    name: str
    header: str
    meaning: str


def file_columns() -> tuple[Column[Entry], ...]:
    """What files say of a configuration beside its quantities, as columns."""
    return tuple(column for column in FIELDS if column.name not in WIDE)


def quantity_columns() -> tuple[Column[Entry], ...]:
    """A column for every quantity that scores hold."""
    return tuple(quantity(name, _said(name), (), legend=_meaning(name)) for name in QUANTITIES)


def dictionary() -> list[Meaning]:
    """Every column once: those of files, quantities, those of tables alone."""
    every = (*FIELDS, *quantity_columns(), *COLUMNS)
    shown = {column.name: column for column in COLUMNS}
    found: dict[str, Meaning] = {}
    for column in every:
        header = as_text(shown.get(column.name, column).heading)
        legend = as_text(column.legend) or as_text(column.long or column.heading)
        found.setdefault(column.name, Meaning(column.name, header, legend))
    return list(found.values())


def _said(name: str) -> str:
    """A quantity in words, as the header of a column."""
    of, _, rest = name.partition("_")
    if name in _OWN:
        return _OWN[name]
    if of in SPLITS:
        return f"{NAMES[rest]}, {of}"
    metric = next(metric for metric in GAPS if rest.startswith(metric))
    parts = {"": "train minus test", "constant": "of calling every image positive"}
    part = rest.removeprefix(metric).removeprefix("_")
    return f"{NAMES[metric]} gap, {parts.get(part) or part.replace('_', ' ')}"


def _meaning(name: str) -> str:
    more = ["seed_sd", *(("low", "high") if name in (*INTERVALS, "subgroup_gap") else ())]
    ends = ", ".join(f"{name}_{end}" for end in more)
    return f"{_said(name)}: mean over seeds. Beside it in CSV files: {ends}."
