"""Lung segmentation as entries of the JSON file and as a CSV file, numbers unrounded."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from benchmark.records.scores import MaskGroup
from benchmark.report.lungs import MaskRun, MaskTable
from benchmark.report.plain_files import csv_file, json_line
from benchmark.scoring.overlap import OVERLAPS


def mask_entries(tables: Sequence[MaskTable], *, cost: bool) -> list[bytes]:
    """Every finished run."""
    return [_entry(each, run, cost=cost) for each in tables for run in each.runs]


def mask_csv(tables: Sequence[MaskTable]) -> bytes:
    """A line for each run, split and group of images."""
    return csv_file(
        [
            _line(each, run, split, name, group)
            for each in tables
            for run in each.runs
            for split, groups in sorted(run.scores.splits.items())
            for name, group in sorted(groups.items())
        ]
    )


def _entry(each: MaskTable, run: MaskRun, *, cost: bool) -> bytes:
    return json_line(
        protocol=msgspec.to_builtins(each.protocol),
        watermarks=list(each.watermarks),
        **_identity(run),
        stale=run.stale,
        edited=run.edited,
        parameters=run.row.model.parameters,
        splits={
            split: {name: _numbers(group) for name, group in groups.items()}
            for split, groups in run.scores.splits.items()
        },
        **({"train_seconds": run.train_seconds} if cost else {}),
    )


def _line(
    each: MaskTable, run: MaskRun, split: str, name: str, group: MaskGroup
) -> dict[str, object]:
    return {
        "protocol_id": each.protocol.id,
        "dataset": each.protocol.dataset,
        "watermarks": "|".join(each.watermarks),
        **_identity(run),
        "split": split,
        "images_of": name,
        **{name: group.overlaps[name] for name in ("dice", "iou")},
        "n_images": group.n_images,
        "n_patients": group.n_patients,
        "pixel_accuracy": group.overlaps["pixel_accuracy"],
        **_limits(group),
    }


def _identity(run: MaskRun) -> dict[str, object]:
    spec = run.row.spec
    names = ("model", "resolution", "seed")
    return {"spec_id": run.row.spec_id} | {name: getattr(spec, name) for name in names}


def _numbers(group: MaskGroup) -> dict[str, object]:
    limits = {"intervals": group.intervals} if group.intervals else {}
    return {"n_images": group.n_images, "n_patients": group.n_patients} | group.overlaps | limits


def _limits(group: MaskGroup) -> dict[str, float | str]:
    ends = {name: (group.intervals or {}).get(name, ("", "")) for name in OVERLAPS}
    return {
        f"{name}_{end}": value
        for name, pair in ends.items()
        for end, value in zip(("low", "high"), pair, strict=True)
    }
