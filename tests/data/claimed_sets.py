"""Sets that only claim to be prepared: a manifest and the facts beside it, but no images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd

from benchmark.data.deriving import test_digest as digest_of
from benchmark.data.facts import FACTS, METADATA, SPLITS, PreparedFacts, SetFacts
from benchmark.data.manifest import MANIFEST
from benchmark.hashing import sha256_of_file
from benchmark.records.door import write_record
from benchmark.records.facts import SplitCounts


def some_facts(*findings: str, **changes: Any) -> SetFacts:
    """What a builder could say of a set with these findings."""
    kind = {0: "segmentation", 1: "binary"}.get(len(findings), "multilabel")
    said = {
        "findings": list(findings), "kind": kind, "label_version": "1", "split_source": "x",
        "licence": "L", "citation": "C", "redistributable": True, "projections": ["AP"],
        "original_size": 0, "suspected": [], "simulated": False, "quarantined": [], "converted": [],
    }  # fmt: skip
    return SetFacts(**said | changes)


def some_lines(n: int = 6, *findings: str) -> pd.DataFrame:
    """The manifest of ``n`` images a split, each of a patient of its own."""
    splits = np.repeat(SPLITS, n)
    ids = [f"{split}{k % n:03d}" for k, split in enumerate(splits)]
    frame = pd.DataFrame({"image_id": ids, "patient_id": ids, "split": splits, "sha256": ids})
    frame = frame.assign(width=8, height=8, age=40, sex="F", view="AP", label_source="x")
    for number, finding in enumerate(findings or ("Mass", "Nodule")):
        frame[f"target:{finding}"] = (np.arange(len(frame)) + number) % 2
        frame[f"labelled:{finding}"] = 1
    return frame


def claim(folder: Path, lines: pd.DataFrame, facts: SetFacts | None = None, **derived: Any) -> None:
    """Write the files of a set that claims to be prepared.

    Args:
        folder: its version folder, ``<data_dir>/<builder>/<config>/<version>``.
        lines: the manifest.
        facts: what the builder says; None for a plain set with the findings of the manifest.
        derived: what ``prepared.json`` is to say otherwise than would follow from the manifest.
    """
    named = [c.removeprefix("target:") for c in lines if c.startswith("target:")]
    facts = facts or some_facts(*named)
    folder.mkdir(parents=True)
    lines.to_csv(folder / MANIFEST, index=False, lineterminator="\n")
    (folder / METADATA).write_bytes(msgspec.json.encode(facts))
    follows = {
        "manifest_sha256": sha256_of_file(folder / MANIFEST),
        "metadata_sha256": sha256_of_file(folder / METADATA),
        "image_source": "original",
        "counts": {split: _counts(lines[lines["split"] == split], named) for split in SPLITS},
        "test_digest": digest_of(lines, named),
        "leakage_status": "clean",
        "reasons": [],
    }
    write_record(folder / FACTS, PreparedFacts(**follows | derived))


def _counts(lines: pd.DataFrame, findings: list[str]) -> SplitCounts:
    positives = {f: int((lines[f"target:{f}"] * lines[f"labelled:{f}"]).sum()) for f in findings}
    patients = int(lines["patient_id"].nunique())
    return SplitCounts(images=len(lines), patients=patients, positives=positives)
