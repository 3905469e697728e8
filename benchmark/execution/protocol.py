"""The protocol of a cell: what two rows must share to stand in one table."""

from __future__ import annotations

from typing import Any

from benchmark.data.prepared import Prepared
from benchmark.legacy import find_protocol, is_legacy
from benchmark.legacy.split import BEFORE_SPLIT
from benchmark.probes import probed
from benchmark.records.files import canonical_json, sha256
from benchmark.screening import withheld_by
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
        "findings": list(prepared.facts["findings"]),
        "label_version": prepared.facts["label_version"],
        "projections": prepared.facts["projections"],
        "rendition": prepared.rendition,
        "test_digest": prepared.derived["test_digest"],
        "limit": cell.limit,
        "legacy": False,
    }
    if is_legacy(cell.protocol):
        facts |= _legacy_facts(cell, prepared)
    if withheld := withheld_by(cell.protocol):
        facts |= {"withheld": withheld}
    if field := probed(cell.protocol):
        facts |= {"probe": field}
    if prepared.holds_masks:
        facts |= _mask_facts(cell, prepared)
    return facts | {"id": sha256(canonical_json(facts))[:ID_LENGTH]}


def _legacy_facts(cell: Cell, prepared: Prepared) -> dict[str, Any]:
    """What a legacy protocol changes; the images and the rule fix the test set between them."""
    protocol = find_protocol(cell.protocol)
    copied = cell.imbalance if protocol.copies == BEFORE_SPLIT else ""
    origin = [prepared.manifest_sha256, protocol.rule, copied]
    return {
        "legacy": True,
        "legacy_name": protocol.name,
        "rule": protocol.rule,
        "split": f"{protocol.title} ({protocol.split}), as in source system {protocol.source}",
        "test_digest": sha256(canonical_json(origin)),
    }


def _mask_facts(cell: Cell, prepared: Prepared) -> dict[str, Any]:
    """What else masks must share to be compared: what they call lung, their pixels, their size."""
    manifest = prepared.manifest()
    test = manifest[manifest["split"] == "test"]
    masks = sorted(zip(test["image_id"], test["mask_sha256"], strict=True))
    return {
        "mask_definition": prepared.facts["mask_definition"],
        "mask_size": cell.resolution,
        "test_masks": sha256(canonical_json(masks)),
    }


def dataset_facts(prepared: Prepared) -> dict[str, Any]:
    """What a row says about its data set."""
    facts = prepared.facts
    keys = ["label_version", "projections", "simulated", "redistributable", "licence", "citation"]
    keys += ["unsafe_for"] if prepared.holds_masks else []
    keys += ["probe"] if "probe" in facts else []
    keys += ["fraction", "listed"] if facts.get("fraction", 1) < 1 else []
    return {key: facts[key] for key in keys} | {
        "task": {"findings": list(facts["findings"]), "kind": facts["kind"]},
        "rendition": prepared.rendition,
        "verdict": prepared.derived["verdict"],
        "reasons": prepared.derived["reasons"],
        "quarantined": len(facts["quarantined"]),
    }
