"""What else can be read from the same images as entries of the JSON file."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from benchmark.report.export.json_lines import json_line
from benchmark.report.sections.attribute_prediction import Asked, PredictedAttributes


def attribute_entries(found: Sequence[PredictedAttributes]) -> list[bytes]:
    """One a question and model."""
    return [_entry(each, asked) for each in found for asked in each.asked]


def _entry(each: PredictedAttributes, asked: Asked) -> bytes:
    return json_line(
        dataset=each.dataset,
        asked_for=asked.question,
        protocol_id=asked.table.protocol.id,
        model=asked.model,
        test=msgspec.to_builtins(asked.table.counts.get("test")),
        answers={
            name: {"config_id": c.config_id} | c.measurements["test_auc"].as_dict()
            for name, c in asked.answers.items()
        },
    )
