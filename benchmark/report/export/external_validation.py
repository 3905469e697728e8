"""Rows tested on another data set than theirs as entries of the JSON file."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from benchmark.report.export.json_lines import json_line
from benchmark.report.gathering.configuration import Configuration
from benchmark.report.sections.external_validation import ExternalValidation


def external_validation_entries(every: Sequence[ExternalValidation]) -> list[bytes]:
    """One a configuration and data set."""
    return [_entry(each, each.configuration) for each in every]


def _entry(each: ExternalValidation, c: Configuration) -> bytes:
    return json_line(
        protocol=msgspec.to_builtins(each.row.protocol),
        config_id=c.config_id,
        stale=c.stale,
        remade=c.remade,
        trained_on=each.trained_on.dataset,
        source_config_id=each.network.config_id,
        model=each.row.spec.model,
        seeds=c.seeds,
        edited_seeds=c.edited_seeds,
        watermarks=each.marks,
        own_auc=each.home,
        measurements={name: c.measurements[name].as_dict() for name in ("test_auc", "test_f1")},
        specs=[run.row.spec_id for run in c.runs],
    )
