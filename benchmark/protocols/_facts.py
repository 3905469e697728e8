"""What a row says of its protocol and of its data set."""

from __future__ import annotations

from typing import Any

from benchmark.data.prepared import Prepared
from benchmark.hashing import canonical_json, sha256
from benchmark.protocols._discovery import find
from benchmark.records.facts import DatasetFacts, ProtocolFacts, TaskFacts
from benchmark.spec import Spec


def protocol_of(spec: Spec, prepared: Prepared) -> ProtocolFacts:
    """What a row must share with others to stand in one table with them.

    The digest of the test set is part of it: a partial copy, a sample and the full set never
    share a table.
    """
    facts = {
        "dataset": prepared.name,
        "dataset_version": prepared.version,
        "split": prepared.facts.split_source,
        "findings": list(prepared.facts.findings),
        "label_version": prepared.facts.label_version,
        "projections": list(prepared.facts.projections),
        "rendition": prepared.image_source,
        "test_digest": prepared.derived.test_digest,
        "limit": spec.limit,
        "legacy": False,
    }
    facts |= find(spec.protocol).facts(spec, prepared)
    if prepared.holds_masks:
        facts |= _mask_facts(spec, prepared)
    return ProtocolFacts.of(facts)


def _mask_facts(spec: Spec, prepared: Prepared) -> dict[str, Any]:
    """What else masks must share to be compared: what they call lung, their pixels, their size."""
    manifest = prepared.manifest()
    test = manifest[manifest["split"] == "test"]
    masks = sorted(zip(test["image_id"], test["mask_sha256"], strict=True))
    return {
        "mask_definition": prepared.facts.mask_definition,
        "mask_size": spec.resolution,
        "test_masks": sha256(canonical_json(masks)),
    }


def dataset_facts(prepared: Prepared) -> DatasetFacts:
    """What a row says about its data set."""
    facts, derived = prepared.facts, prepared.derived
    part = facts.fraction is not None and facts.fraction < 1
    return DatasetFacts(
        task=TaskFacts(findings=list(facts.findings), kind=facts.kind),
        label_version=facts.label_version,
        projections=list(facts.projections),
        simulated=facts.simulated,
        redistributable=facts.redistributable,
        licence=facts.licence,
        citation=facts.citation,
        image_source=prepared.image_source,
        leakage_status=derived.leakage_status,
        reasons=list(derived.reasons),
        quarantined=len(facts.quarantined),
        unsafe_for=facts.unsafe_for if prepared.holds_masks else None,
        probe=facts.probe,
        fraction=facts.fraction if part else None,
        listed=facts.listed if part else None,
    )
