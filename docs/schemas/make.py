"""Write the JSON schemas of the record files from their types: ``python docs/schemas/make.py``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from benchmark.data.facts import PreparedFacts
from benchmark.data.shapes import Shapes
from benchmark.data.view_facts import ViewFacts
from benchmark.records.row import Row
from benchmark.records.scores import (
    ConfigurationIntervals,
    MaskScores,
    Scores,
    StoredInfluence,
    StoredTable,
)

FOLDER = Path(__file__).parent
RECORDS: dict[str, Any] = {
    "row": Row,
    "scores": Scores,
    "mask_scores": MaskScores,
    "intervals": ConfigurationIntervals,
    "influence": StoredInfluence,
    "comparisons": StoredTable,
    "prepared": PreparedFacts,
    "shapes": Shapes,
    "view": ViewFacts,
}
SEAL = {
    "type": "string",
    "pattern": "^[0-9a-f]{64}$",
    "description": "SHA-256 of all bytes of the file behind this first key and its comma.",
}


def schema(kind: Any) -> dict[str, Any]:
    """The JSON schema of a record file: its type, and the seal that comes first in it."""
    found = msgspec.json.schema(kind)
    body = found
    while "$ref" in body:
        body = found["$defs"][body["$ref"].rpartition("/")[2]]
    body["properties"] = {"content_sha256": SEAL, **body.get("properties", {})}
    body["required"] = ["content_sha256", *body.get("required", [])]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **found}


def texts() -> dict[str, str]:
    """File name -> its text."""
    return {
        f"{name}.json": json.dumps(schema(kind), indent=1, sort_keys=True) + "\n"
        for name, kind in RECORDS.items()
    }


if __name__ == "__main__":
    for name, text in texts().items():
        (FOLDER / name).write_text(text)
