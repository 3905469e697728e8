"""The leaderboard as CSV and JSON, every number unrounded."""

from __future__ import annotations

import csv
import io
from typing import Any

from benchmark.records.files import canonical_json
from benchmark.report.configuration import Configuration, Measurement
from benchmark.report.crossed import Crossed, crossed_entries
from benchmark.report.ensembles import is_ensemble
from benchmark.report.gather import Table
from benchmark.report.lungs import MaskTable, mask_entries, mask_lines
from benchmark.report.shortcuts import shortcut_entries, shortcuts
from benchmark.report.splits import SplitPair
from benchmark.scoring.uncertainty import INTERVALS

_CELL = ("model", "resolution", "preprocessing", "normalisation", "augmentation", "imbalance",
         "weights")  # fmt: skip


def exports(
    tables: list[Table],
    pairs: list[SplitPair],
    lungs: list[MaskTable],
    crossed: list[Crossed],
    *,
    cost: bool,
) -> tuple[bytes, bytes, bytes]:
    """The leaderboard as (CSV, JSON, CSV of lung segmentation)."""
    entries = [_entries(table, cost=cost) for table in tables]
    described = [_table(table) for table in tables]
    parts = {
        "configurations": [entry for of_table in entries for entry in of_table],
        "internal_against_published": [_pair(pair) for pair in pairs],
        "tables": described,
    }
    if crossed:
        parts["on_another_data_set"] = crossed_entries(crossed)
    if probed := shortcut_entries(shortcuts(tables)):
        parts["shortcuts"] = probed
    masks = mask_entries(lungs, cost=cost)
    if masks:
        parts["lung_segmentation"] = masks
    by_configuration = [_line(entry) for entry in parts["configurations"]]
    return _csv(by_configuration), _json(parts), _csv(mask_lines(masks))


def _csv(lines: list[dict[str, Any]]) -> bytes:
    """A line each; undefined numbers are empty."""
    columns = list(dict.fromkeys(column for line in lines for column in line))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return text.getvalue().encode()


def _json(parts: dict[str, list]) -> bytes:
    """JSON with one line per entry: quick to write, and a change shows as the lines it is in."""
    blocks = [
        f'"{name}":[\n' + ",\n".join(canonical_json(item).decode() for item in items) + "\n]"
        for name, items in parts.items()
    ]
    return ("{\n" + ",\n".join(blocks) + "\n}\n").encode()


def _table(table: Table) -> dict[str, Any]:
    keys = ("cell_id", "config_id", "status", "error", "cell")
    return {
        "protocol": table.protocol,
        "watermarks": table.watermarks,
        "dataset": table.dataset,
        "verdict": table.verdict,
        "reasons": table.reasons,
        "counts": table.counts,
        "behind": {
            config_id: {"difference": c.difference, "se": c.se, "interval": c.interval, "p_holm": p}
            for config_id, (c, p) in table.behind.items()
        },
        "groups": [[c.config_id for c in group] for group in table.groups],
        "stopped": [{key: row[key] for key in keys} for row in table.stopped],
    }


def _pair(pair: SplitPair) -> dict[str, Any]:
    return {
        "dataset": pair.dataset,
        "internal": pair.internal.config_id,
        "published": pair.published.config_id,
        "difference": {name: vars(pair.difference(name)) for name in ("test_auc", "test_f1")},
    }


def _entries(table: Table, *, cost: bool) -> list[dict[str, Any]]:
    return [_entry(table, c) | (_cost(c) if cost else {}) for c in table.configurations]


def _entry(table: Table, c: Configuration) -> dict[str, Any]:
    return {
        "protocol_id": table.protocol["id"],
        "dataset": table.protocol["dataset"],
        "dataset_version": table.protocol["dataset_version"],
        **{key: table.protocol[key] for key in ("withheld", "probe") if key in table.protocol},
        "verdict": table.verdict,
        "watermarks": list(table.watermarks),
        "group": table.group_numbers.get(c.config_id),
        "not_ranked_because": table.obstacles.get(c.config_id),
        "config_id": c.config_id,
        **{axis: c.cell[axis] for axis in _CELL},
        "seeds": c.seeds,
        "deterministic": c.model["deterministic"],
        "complete": c.complete,
        "edited_seeds": c.edited_seeds,
        "external": c.external,
        "short_interval": c.short_interval,
        "parameters": c.model["parameters"],
        "ensemble": c.cell["ensemble"]["kind"] if is_ensemble(c.cell) else None,
        "measurements": {name: _numbers(name, m) for name, m in c.measurements.items()},
        "test_auc_per_finding": c.finding_auc,
        "cells": [run.row["cell_id"] for run in c.runs],
    }


def _numbers(name: str, m: Measurement) -> dict[str, float | None]:
    sampling = {"low": m.low, "high": m.high} if name in INTERVALS else {}
    return {"mean": m.mean, "seed_sd": m.seed_sd} | sampling


def _cost(c: Configuration) -> dict[str, Any]:
    return {"train_seconds": c.train_seconds, "hardware": c.hardware}


def _line(entry: dict[str, Any]) -> dict[str, Any]:
    """A flat line: ``test_auc``, ``test_auc_seed_sd``, ``test_auc_low``, ...; lists joined by |."""
    line: dict[str, Any] = {}
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
