"""The leaderboard as CSV and JSON, every number unrounded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields
from typing import Any

import msgspec

from benchmark.records.row import Row
from benchmark.report.blocks.tables import DataTable
from benchmark.report.blocks.values import ABSENT
from benchmark.report.columns import entries
from benchmark.report.export.attribute_prediction import attribute_entries
from benchmark.report.export.external_validation import external_validation_entries
from benchmark.report.export.fields import FIELDS, Structured
from benchmark.report.export.json_lines import json_file, json_line
from benchmark.report.export.lungs import mask_entries, mask_lines
from benchmark.report.gathering.effects import Effect
from benchmark.report.gathering.families import TableFamily
from benchmark.report.gathering.table import Table
from benchmark.report.leaderboard.board import Leaderboard
from benchmark.report.render import csv
from benchmark.report.sections.attribute_prediction import predicted_attributes
from benchmark.report.sections.beside_published import Beside, beside_published
from benchmark.report.sections.splits import SplitPair
from benchmark.scoring.ranking import Comparison

SECTIONS = (
    "configurations",
    "internal_against_published",
    "tables",
    "beside_published",
    "on_another_data_set",
    "shortcuts",
    "lung_segmentation",
    "left_out",
)
"""Parts of the JSON file, in its order."""
ALWAYS = ("configurations", "internal_against_published", "tables")
"""Parts of the JSON file that are there even where they are empty."""


def exports(of: Leaderboard, *, cost: bool) -> dict[str, Iterable[bytes]]:
    """File name -> the leaderboard as CSV and as JSON, and lung segmentation as CSV.

    Of each file its pieces, to be taken once: files of thousands of rows are never held whole.
    """
    small = {
        "internal_against_published": [_pair(pair) for pair in of.pairs],
        "beside_published": [_beside(each) for each in beside_published(of.tables)],
        "on_another_data_set": external_validation_entries(of.external),
        "shortcuts": attribute_entries(predicted_attributes(of.tables)),
        "lung_segmentation": mask_entries(of.lungs, cost=cost),
        "left_out": [json_line(why=each) for each in of.left_out],
    }
    large = {
        "configurations": (_json(row) for row in _configurations(of, cost=cost)),
        "tables": (_table(each) for each in of.tables),
    }
    kept = [name for name in SECTIONS if name in ALWAYS or small[name]]
    files: dict[str, Iterable[bytes]] = {
        "leaderboard.csv": _csv(of, cost=cost),
        "leaderboard.json": json_file({name: (small | large)[name] for name in kept}),
    }
    if of.lungs:
        files["lung_segmentation.csv"] = [csv.table(mask_lines(of.lungs)).encode()]
    return files


def _configurations(of: Leaderboard, *, cost: bool) -> Iterator[DataTable]:
    """A table of one row for each configuration."""
    columns = [column for column in FIELDS if cost or not column.cost]
    for table in of.tables:
        for entry in entries(table):
            yield DataTable.of(columns, [entry])


def _csv(of: Leaderboard, *, cost: bool) -> Iterator[bytes]:
    rows = _configurations(of, cost=cost)
    records = (record for row in rows for record in row.records())
    return map(str.encode, csv.pieces(records))


def _json(line: DataTable) -> bytes:
    held = zip(line.columns, *line.rows, strict=True)
    values = {c.name: v for c, v in held if v is not ABSENT}
    return json_line(**{n: v.data if isinstance(v, Structured) else v for n, v in values.items()})


def _table(table: Table) -> bytes:
    return json_line(
        protocol=msgspec.to_builtins(table.protocol),
        watermarks=table.watermarks,
        dataset=msgspec.to_builtins(table.dataset),
        verdict=table.leakage_status,
        reasons=table.reasons,
        environments_differ_in=table.environments,
        counts=msgspec.to_builtins(table.counts),
        families=[_family(each) for each in table.families],
        outside=[_comparison(c) for c in table.outside],
        effects=[_effect(each) for each in table.effects],
        stopped=[_stopped(row) for row in table.stopped],
    )


def _family(each: TableFamily) -> dict[str, Any]:
    family = each.family
    comparisons = zip(family.comparisons, family.adjusted_p, strict=True)
    return {
        "suite": each.suite,
        "axis": each.axis,
        "number": each.number,
        "same": dict(each.fixed),
        "members": family.members,
        "letters": family.letters,
        "provisional": sorted(family.provisional),
        "comes_first": family.first,
        "detectable": None if family.detectable is None else vars(family.detectable),
        "comparisons": [_comparison(c) | {"p_holm": p} for c, p in comparisons],
    }


def _comparison(c: Comparison) -> dict[str, Any]:
    return {each.name: getattr(c, each.name) for each in fields(c) if each.name != "note"}


def _effect(each: Effect) -> dict[str, Any]:
    of = {name: value for name, value in vars(each).items() if name != "comparison"}
    return of | _comparison(each.comparison)


def _stopped(row: Row) -> dict[str, Any]:
    return {
        "spec_id": row.spec_id,
        "config_id": row.config_id,
        "status": row.status,
        "error": msgspec.to_builtins(row.error),
        "spec": row.spec.as_dict(),
    }


def _pair(pair: SplitPair) -> bytes:
    return json_line(
        dataset=pair.dataset,
        internal=pair.internal.config_id,
        published=pair.published.config_id,
        difference={name: pair.difference(name).as_dict() for name in ("test_auc", "test_f1")},
        f1_at_published_prevalence=pair.f1_at_published_prevalence.as_dict(),
    )


def _beside(each: Beside) -> bytes:
    return json_line(
        published=vars(each.published),
        config_id=each.ours.config_id,
        test_auc=each.measured.as_dict(),
        difference=each.difference,
        not_the_same=each.published.differs_in(each.ours),
    )
