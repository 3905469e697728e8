"""The protocol of a cell: what two rows must share to stand in one table."""

from __future__ import annotations

from typing import Any

from benchmark.data.prepared import Prepared
from benchmark.records.files import canonical_json, sha256
from benchmark.suites.cell import ID_LENGTH, Cell


def protocol_of(cell: Cell, prepared: Prepared) -> dict[str, Any]:
    """The protocol's facts and its ``id``, a hash of them.

    The digest of the test set is part of it: a partial copy, a sample and the full set never
    share a table.
    """
    facts = {
        "dataset": prepared.name,
        "dataset_version": prepared.version,
        "split": prepared.facts["split_source"],
        "findings": list(prepared.task.findings),
        "label_version": prepared.facts["label_version"],
        "projections": prepared.facts["projections"],
        "rendition": prepared.rendition,
        "test_digest": prepared.derived["test_digest"],
        "limit": cell.limit,
        "legacy": False,
    }
    return facts | {"id": sha256(canonical_json(facts))[:ID_LENGTH]}


def dataset_facts(prepared: Prepared) -> dict[str, Any]:
    """What a row says about its data set."""
    facts = prepared.facts
    keys = ("label_version", "projections", "simulated", "redistributable", "licence", "citation")
    return {key: facts[key] for key in keys} | {
        "task": {"findings": list(prepared.task.findings), "kind": prepared.task.kind},
        "rendition": prepared.rendition,
        "verdict": prepared.derived["verdict"],
        "reasons": prepared.derived["reasons"],
        "quarantined": len(facts["quarantined"]),
    }
