"""The leaderboard as CSV and JSON, every number unrounded."""

from __future__ import annotations

from typing import Any

import msgspec

from benchmark.records.row import Row
from benchmark.report.configuration import Configuration, Measurement
from benchmark.report.crossed import Crossed, crossed_entries
from benchmark.report.ensembles import rule_name
from benchmark.report.gather import Table
from benchmark.report.labels import AXES
from benchmark.report.lungs import MaskTable
from benchmark.report.lungs_export import mask_csv, mask_entries
from benchmark.report.plain_files import csv_file, json_file, json_line
from benchmark.report.shortcuts import shortcut_entries, shortcuts
from benchmark.report.splits import SplitPair
from benchmark.scoring.uncertainty import INTERVALS

ALWAYS = ("configurations", "internal_against_published", "tables")
"""Parts of the JSON file that are there even where they are empty."""
Entry = dict[str, Any]
"""Plain values, on their way into a file."""


def exports(
    tables: list[Table],
    pairs: list[SplitPair],
    lungs: list[MaskTable],
    crossed: list[Crossed],
    *,
    cost: bool,
) -> tuple[bytes, bytes, bytes]:
    """The leaderboard as (CSV, JSON, CSV of lung segmentation)."""
    entries = [_entry(table, c, cost=cost) for table in tables for c in table.configurations]
    parts = {
        "configurations": [json_line(**entry) for entry in entries],
        "internal_against_published": [_pair(pair) for pair in pairs],
        "tables": [_table(table) for table in tables],
        "on_another_data_set": crossed_entries(crossed),
        "shortcuts": shortcut_entries(shortcuts(tables)),
        "lung_segmentation": mask_entries(lungs, cost=cost),
    }
    shown = {name: of for name, of in parts.items() if of or name in ALWAYS}
    return csv_file([_line(entry) for entry in entries]), json_file(shown), mask_csv(lungs)


def _table(table: Table) -> bytes:
    return json_line(
        protocol=msgspec.to_builtins(table.protocol),
        watermarks=table.watermarks,
        dataset=msgspec.to_builtins(table.dataset),
        verdict=table.verdict,
        reasons=table.reasons,
        environments_differ_in=table.environments,
        counts=msgspec.to_builtins(table.counts),
        behind={
            key: {"difference": c.difference, "se": c.se, "interval": c.interval, "p_holm": p}
            for key, (c, p) in table.behind.items()
        },
        groups=[[c.key for c in group] for group in table.groups],
        stopped=[_stopped(row) for row in table.stopped],
    )


def _stopped(row: Row) -> Entry:
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
        difference={name: vars(pair.difference(name)) for name in ("test_auc", "test_f1")},
    )


def _entry(table: Table, c: Configuration, *, cost: bool) -> Entry:
    protocol = table.protocol
    asked = {"withheld": protocol.withheld, "probe": protocol.probe}
    return {
        "protocol_id": protocol.id,
        "dataset": protocol.dataset,
        "dataset_version": protocol.dataset_version,
        **{key: value for key, value in asked.items() if value},
        "verdict": table.verdict,
        "watermarks": list(table.watermarks),
        "group": table.group_numbers.get(c.key),
        "not_ranked_because": table.obstacles.get(c.key),
        "config_id": c.config_id,
        "stale": c.stale,
        "remade": c.remade,
        **{axis: getattr(c.spec, axis) for axis in AXES},
        "seeds": c.seeds,
        "deterministic": c.model.deterministic,
        "complete": c.complete,
        "edited_seeds": c.edited_seeds,
        "external": c.external,
        "short_interval": c.short_interval,
        "parameters": c.model.parameters,
        "ensemble": rule_name(c.spec),
        "measurements": {name: _numbers(name, m) for name, m in c.measurements.items()},
        "test_auc_per_finding": c.finding_auc,
        "specs": [run.row.spec_id for run in c.runs],
        **(_cost(c) if cost else {}),
    }


def _numbers(name: str, m: Measurement) -> dict[str, float | None]:
    sampling = {"low": m.low, "high": m.high} if name in INTERVALS else {}
    return {"mean": m.mean, "seed_sd": m.seed_sd} | sampling


def _cost(c: Configuration) -> Entry:
    return {"train_seconds": c.train_seconds, "hardware": [m.as_dict() for m in c.machines]}


def _line(entry: Entry) -> Entry:
    """A flat line: ``test_auc``, ``test_auc_seed_sd``, ``test_auc_low``, ...; lists joined by |."""
    line: Entry = {}
    for key, value in entry.items():
        if key == "measurements":
            for name, measurement in value.items():
                line |= {
                    name if part == "mean" else f"{name}_{part}": number
                    for part, number in measurement.items()
                }
        elif key == "test_auc_per_finding":
            line |= {f"test_auc:{finding}": auc for finding, auc in value.items()}
        elif key == "hardware":
            line[key] = "|".join(", ".join(f"{k} {v}" for k, v in h.items()) for h in value)
        else:
            line[key] = "|".join(map(str, value)) if isinstance(value, list) else value
    return line
