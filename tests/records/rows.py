"""Rows that hold together, for tests of whatever reads or writes them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from hypothesis import strategies as st

from benchmark.records.door import sealed
from benchmark.records.facts import DatasetFacts, ModelFacts, ProtocolFacts, SplitCounts, TaskFacts
from benchmark.records.mask_counts import MaskCounts
from benchmark.records.predictions import Predictions
from benchmark.records.row import ROW_SCHEMA, Row
from benchmark.records.run_facts import EnvironmentFacts, Failure, KerasSettings
from benchmark.spec import Spec

DATASET = "toy/official"
FINDINGS = ("Pneumonia",)
MANIFEST = "1" * 64


def a_spec(**changes: Any) -> Spec:
    """A small network on a made-up data set."""
    values = {
        "kind": "classifier",
        "dataset": DATASET,
        "dataset_version": "1.0.0",
        "manifest_sha256": MANIFEST,
        "model": "cnn",
        "resolution": 64,
        "preprocessing": "raw",
        "normalisation": "unit",
        "imbalance": "none",
        "scheme": "scratch",
        "weights": "random",
        "augmentation": "none",
        "recipe": {"batch_size": 32, "epochs": 2},
        "precision": "float32",
        "seed": 0,
    }
    return Spec(**values | changes)


def a_protocol(spec: Spec, findings: Sequence[str] = FINDINGS, **changes: Any) -> ProtocolFacts:
    """What a spec is measured under."""
    facts = {
        "dataset": spec.dataset,
        "dataset_version": spec.dataset_version,
        "split": "as published",
        "findings": list(findings),
        "label_version": "2018",
        "projections": ["AP"],
        "rendition": "original",
        "test_digest": "2" * 64,
        "limit": spec.limit,
        "legacy": False,
    }
    return ProtocolFacts.of(facts | changes)


def a_row(
    spec: Spec | None = None,
    findings: Sequence[str] = FINDINGS,
    kind: str = "binary",
    **changes: Any,
) -> Row:
    """A finished row; ``predictions_sha256`` is of no file.

    Args:
        spec: of which it is.
        findings, kind: of its task.
        changes: other fields of the row.
    """
    spec = spec or a_spec()
    positives = dict.fromkeys(findings, 40)
    values = {
        "schema": ROW_SCHEMA,
        "spec_id": spec.spec_id,
        "config_id": spec.config_id,
        "suite": "toy",
        "status": "done",
        "error": None,
        "spec": spec,
        "dataset": a_dataset(findings, kind),
        "protocol": a_protocol(spec, findings),
        "watermarks": [],
        "model": ModelFacts(
            title="CNN", reference="nobody 2000", deterministic=False, parameters=10
        ),
        "counts": {
            split: SplitCounts(images=80, patients=40, positives=positives)
            for split in ("train", "validation", "test")
        },
        "code": {"model": "1", "training": "1"},
        "code_version": "0.1.0",
        "commit": None,
        "environment": an_environment(),
        "determinism": "bit-identical",
        "finished": "2026-01-01T00:00:00+00:00",
        "predictions_sha256": "3" * 64,
        "weights_sha256": None,
        "history": None,
        "phases": {"train": 1.5},
        "profile": None,
        "peak_memory_mb": 100,
    }
    return Row(**values | changes)


def counts_of(content: Predictions | MaskCounts) -> dict[str, SplitCounts]:
    """What a row says that was measured on these images."""
    findings = getattr(content, "findings", ())
    counts = {}
    for split in dict.fromkeys(content.split.tolist()):
        of_split = content.split == split
        positives = [(content.targets[of_split, i] == 1).sum() for i in range(len(findings))]
        counts[split] = SplitCounts(
            images=int(of_split.sum()),
            patients=len(set(content.patient_id[of_split].tolist())),
            positives=dict(zip(findings, map(int, positives), strict=True)),
        )
    return counts


def a_failed_row(spec: Spec | None = None, **changes: Any) -> Row:
    """A row of a spec that did not finish."""
    failure = {
        "status": "failed",
        "error": Failure(reason="it crashed"),
        "predictions_sha256": None,
    }
    return a_row(spec, **failure | changes)


def a_dataset(findings: Sequence[str] = FINDINGS, kind: str = "binary") -> DatasetFacts:
    """A clean set that may be published."""
    return DatasetFacts(
        task=TaskFacts(findings=list(findings), kind=kind),
        label_version="2018",
        projections=["AP"],
        simulated=True,
        redistributable=True,
        licence="CC0",
        citation="nobody 2000",
        image_source="original",
        leakage_status="clean",
        reasons=[],
        quarantined=0,
    )


def an_environment(**changes: Any) -> EnvironmentFacts:
    """Two cores and no accelerator."""
    values = {
        "backend": "tensorflow",
        "device": "cpu",
        "accelerator": None,
        "threads": 2,
        "machine": "x86_64",
        "cpu": "some processor",
        "cores": 2,
        "memory_gb": 8,
        "system": "Linux",
        "python": "3.11.7",
        "packages": {"keras": "3.15.1"},
        "keras": KerasSettings(floatx="float32", epsilon=1e-7, image_data_format="channels_last"),
    }
    return EnvironmentFacts(**values | changes)


# --- files that were changed ----------------------------------------------------------------------

OTHER_VALUES = (None, True, 7, -1.5, "x", [], {}, [1], {"a": 1})


def values_of(data: bytes) -> dict[str, Any]:
    """What a record's file says, but for its seal."""
    values = json.loads(data)
    del values["content_sha256"]
    return values


def resealed(data: bytes, change: Callable[[dict[str, Any]], Any]) -> bytes:
    """The file after ``change`` of its values, with a seal that is right again."""
    values = values_of(data)
    change(values)
    return sealed(values)


def changed_values(data: bytes, more: Sequence[Any] = ()) -> st.SearchStrategy[dict[str, Any]]:
    """What a record's file says, with one value gone, null, of another type, or one of ``more``."""
    places = list(_places(values_of(data)))

    def changed(choice) -> dict[str, Any]:
        (*way, last), other, drop = choice
        values = values_of(data)
        inner = values
        for key in way:
            inner = inner[key]
        if drop:
            del inner[last]
        else:
            inner[last] = other
        return values

    others = st.sampled_from((*OTHER_VALUES, *more))
    choices = st.tuples(st.sampled_from(places), others, st.booleans())
    return choices.map(changed)


def changed_by_hand(data: bytes) -> st.SearchStrategy[bytes]:
    """The file with one value changed, under the seal that it had."""
    seal = {"content_sha256": json.loads(data)["content_sha256"]}
    files = changed_values(data).filter(lambda values: values != values_of(data))
    return files.map(lambda values: json.dumps(seal | values, indent=1).encode() + b"\n")


def changed_bytes(data: bytes) -> st.SearchStrategy[bytes]:
    """The bytes with one bit turned over, or only their beginning."""

    def flipped(bit: int) -> bytes:
        turned = bytearray(data)
        turned[bit // 8] ^= 1 << bit % 8
        return bytes(turned)

    flips = st.integers(0, 8 * len(data) - 1).map(flipped)
    return flips | st.integers(0, len(data) - 1).map(lambda n: data[:n])


def _places(values: Any, way: tuple = ()) -> Iterator[tuple]:
    keys = values if isinstance(values, dict) else range(len(values))
    for key in keys:
        yield (*way, key)
        if isinstance(values[key], (dict, list)):
            yield from _places(values[key], (*way, key))
