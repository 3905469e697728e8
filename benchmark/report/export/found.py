"""What is known of a row or a configuration, as plain values for JSON."""

from __future__ import annotations

from typing import Any

import msgspec

from benchmark.records.facts import every_field
from benchmark.records.row import Row
from benchmark.records.store import Results
from benchmark.report.comparing.lookup import Found
from benchmark.report.export.fields import measured
from benchmark.scoring.stored import scored, stored_mask_scores, stored_scores


def found_json(results: Results, found: Found) -> dict[str, Any]:
    """Its rows as their files have them, with their scores, and what the seeds amount to.

    Raises:
        UserError: no finished row of findings has predictions that can be used.
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
    found: list[Any]
    if row.holds_masks:
        found = list(scored(results, [row], stored_mask_scores))
    else:
        found = list(scored(results, [row], stored_scores))
    return {**held, "scores": every_field(found[0][1]) if found else None}
