"""Lung segmentation as entries of the JSON file and as lines of a CSV file, numbers unrounded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec

from benchmark.records.scores import MaskGroup
from benchmark.report.blocks.tables import Column, DataTable
from benchmark.report.blocks.values import limits
from benchmark.report.export.json_lines import json_line
from benchmark.report.sections.lungs import MaskRun, MaskTable
from benchmark.scoring.overlap import OVERLAPS

IDENTITY = ("model", "resolution", "seed")


@dataclass(frozen=True)
class MaskLine:
    """A run on one group of images of a split."""

    table: MaskTable
    run: MaskRun
    split: str
    images_of: str
    group: MaskGroup


def mask_entries(tables: Sequence[MaskTable], *, cost: bool) -> list[bytes]:
    """Every finished run."""
    return [_entry(each, run, cost=cost) for each in tables for run in each.runs]


def mask_lines(tables: Sequence[MaskTable]) -> DataTable:
    """A line for each run, split and group of images."""
    lines = (
        MaskLine(each, run, split, name, group)
        for each in tables
        for run in each.runs
        for split, groups in sorted(run.scores.splits.items())
        for name, group in sorted(groups.items())
    )
    return DataTable.of(_COLUMNS, lines)


def _column(name: str, value: Callable[[MaskLine], Any]) -> Column[MaskLine]:
    return Column(name, name, value)


def _overlap(name: str) -> Column[MaskLine]:
    return _column(name, lambda line: line.group.overlaps[name])


def _interval(name: str) -> Column[MaskLine]:
    return _column(name, lambda line: limits(*(line.group.intervals or {}).get(name, (None, None))))


def _identity(name: str, line: MaskLine) -> Any:
    return getattr(line.run.row.spec, name)


_COLUMNS = (
    _column("protocol_id", lambda line: line.table.protocol.id),
    _column("dataset", lambda line: line.table.protocol.dataset),
    _column("watermarks", lambda line: "|".join(line.table.watermarks)),
    _column("spec_id", lambda line: line.run.row.spec_id),
    *(_column(name, partial(_identity, name)) for name in IDENTITY),
    _column("split", lambda line: line.split),
    _column("images_of", lambda line: line.images_of),
    _overlap("dice"),
    _overlap("iou"),
    _column("n_images", lambda line: line.group.n_images),
    _column("n_patients", lambda line: line.group.n_patients),
    _overlap("pixel_accuracy"),
    *map(_interval, OVERLAPS),
    _column("stale", lambda line: line.run.stale),
    _column("edited", lambda line: line.run.edited),
)


def _entry(each: MaskTable, run: MaskRun, *, cost: bool) -> bytes:
    return json_line(
        protocol=msgspec.to_builtins(each.protocol),
        watermarks=list(each.watermarks),
        spec_id=run.row.spec_id,
        **{name: getattr(run.row.spec, name) for name in IDENTITY},
        stale=run.stale,
        edited=run.edited,
        parameters=run.row.model.parameters,
        splits={
            split: {name: _numbers(group) for name, group in groups.items()}
            for split, groups in run.scores.splits.items()
        },
        **({"train_seconds": run.train_seconds} if cost else {}),
    )


def _numbers(group: MaskGroup) -> dict[str, object]:
    limits = {"intervals": group.intervals} if group.intervals else {}
    counts = {"n_images": group.n_images, "n_patients": group.n_patients}
    return {**counts, **group.overlaps, **limits}
