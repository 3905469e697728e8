"""What is known of a row or a configuration, and of a pair of them, as plain values for JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from benchmark.records.row import Row
from benchmark.records.store import Results
from benchmark.report.export import measured
from benchmark.report.lookup import Found
from benchmark.report.paired import Pair
from benchmark.scoring.ranking import Comparison
from benchmark.scoring.stored import stored_mask_scores, stored_scores


def found_json(results: Results, found: Found) -> dict[str, Any]:
    """Its rows as their files have them, with their scores, and what the seeds amount to.

    Raises:
        UserError: a prediction file is missing or damaged.
    """
    ranked = found.configurations(results) if found.done and not found.row.holds_masks else []
    return {
        "title": found.title,
        "config_id": found.config_id,
        "rows": [_row(results, row) for row in found.rows],
        "configurations": [
            {
                "config_id": c.config_id,
                "seeds": c.seeds,
                "stale": c.stale,
                "edited_seeds": c.edited_seeds,
                "measurements": measured(c),
                "test_auc_per_finding": c.finding_auc,
            }
            for c in ranked
        ],
    }


def _row(results: Results, row: Row) -> dict[str, Any]:
    held = msgspec.to_builtins(row)
    if not row.done:
        return {**held, "scores": None}
    scores = stored_mask_scores if row.holds_masks else stored_scores
    return {**held, "scores": msgspec.to_builtins(scores(results, row))}


def pair_json(
    pair: Pair,
    compared: Mapping[str, Comparison],
    of_finding: Mapping[str, Comparison],
    notes: Mapping[str, list[str]],
) -> dict[str, Any]:
    """A comparison.

    Args:
        compared: by metric, ``first`` minus ``second``.
        of_finding: the same of AUC by finding.
        notes: by side, A and B, what a reader must know of it.
    """
    sides = {"A": pair.first, "B": pair.second}
    return {
        **{
            side: {
                "config_id": c.config_id,
                "specs": [run.row.spec_id for run in c.runs],
                "notes": notes[side],
                **{metric: c.measurements[f"test_{metric}"].mean for metric in compared},
            }
            for side, c in sides.items()
        },
        "protocol_id": pair.first.runs[0].row.protocol.id,
        "with_seeds": pair.with_seeds,
        "difference": {metric: _numbers(c) for metric, c in compared.items()},
        "auc_of_finding": {finding: _numbers(c) for finding, c in of_finding.items()},
    }


def _numbers(compared: Comparison) -> dict[str, Any]:
    """Without whom it compares, which stands beside it."""
    held = msgspec.to_builtins(compared)
    return {key: value for key, value in held.items() if key not in ("first", "second")}
