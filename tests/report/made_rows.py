"""Rows of a made-up data set, with generated predictions."""

from __future__ import annotations

import dataclasses
from zlib import crc32

import numpy as np
from msgspec.structs import replace

from benchmark.errors import UserError
from benchmark.hashing import sha256
from benchmark.kinds.code import code_of
from benchmark.models import discover
from benchmark.protocols import find
from benchmark.records.facts import DatasetFacts, ModelFacts, ProtocolFacts
from benchmark.records.predictions import Predictions, link, read_predictions
from benchmark.records.row import Row
from benchmark.records.run_facts import Failure
from benchmark.records.store import Results
from benchmark.scoring.digest import test_digest
from benchmark.spec import PUBLISHED, Spec
from tests.records.rows import a_dataset, a_row, an_environment, counts_of
from tests.records.written import write_predictions

SPLIT_SIZES = {"train": 80, "validation": 50, "test": 60}
UNKNOWN = "0" * 64


def predictions(protocol: ProtocolFacts, strength: float, seed: int, kind: str) -> Predictions:
    """Two images a patient; targets depend on the protocol alone, logits on strength and seed."""
    findings = tuple(protocol.findings)
    drawn_from = replace(protocol, test_digest=UNKNOWN).own_id()  # the digest is of what is drawn
    data = np.random.default_rng(crc32(drawn_from.encode()))
    n = sum(SPLIT_SIZES.values())
    targets = data.permuted(np.tile([[0.0], [1.0]], (n // 2, len(findings))), axis=0)
    if kind == "multiclass":
        targets = np.eye(len(findings))[data.integers(len(findings), size=n)]
    noise = np.random.default_rng(seed).normal(size=targets.shape)
    logits = (strength * (targets - 0.5) + (strength != 0) * noise).astype(np.float32)
    text = np.array([f"{i // 2:03d}" for i in range(n)])
    return Predictions(
        findings,
        kind,
        split=np.repeat(list(SPLIT_SIZES), list(SPLIT_SIZES.values())),
        image_id=np.array([f"image{i:03d}" for i in range(n)]),
        patient_id=text,
        age=np.full(n, -1),
        sex=np.full(n, ""),
        view=np.full(n, ""),
        targets=targets,
        logits=logits,
        probabilities=link(logits, kind),
    )


def without_test(content: Predictions) -> Predictions:
    """The same without its test images."""
    kept = content.split != "test"
    arrays = {k: v[kept] for k, v in vars(content).items() if isinstance(v, np.ndarray)}
    return dataclasses.replace(content, **arrays)


def protocol(
    dataset: str = "toy/official", findings=("pneumonia",), kind: str = "binary", **changes
) -> ProtocolFacts:
    """Of a test set of generated predictions; ``kind`` matters where findings are exclusive."""
    facts = {
        "dataset": dataset,
        "dataset_version": "1.0.0",
        "split": "as published",
        "findings": list(findings),
        "label_version": "2018",
        "projections": ["AP"],
        "rendition": "original",
        "test_digest": UNKNOWN,
        "limit": None,
        "legacy": False,
    }
    made = ProtocolFacts.of(facts | changes)
    digest = test_digest(predictions(made, 0, 0, kind), made)
    return ProtocolFacts.of(facts | {"test_digest": digest} | changes)


def legacy(name: str, **changes) -> ProtocolFacts:
    """The facts of a legacy protocol."""
    rule = find(name).rule
    return protocol(legacy=True, legacy_name=name, rule=dict(rule), **changes)


TRAINED = {
    "kind": "classifier",
    "resolution": 64,
    "preprocessing": "raw",
    "normalisation": "unit",
    "imbalance": "none",
    "scheme": "scratch",
    "weights": "random",
    "augmentation": "none",
    "recipe": {
        "optimizer": "adam",
        "learning_rate": 0.001,
        "schedule": "cosine",
        "warmup_steps": 100,
        "batch_size": 32,
        "epochs": 10,
        "patience": 3,
    },
    "precision": "float32",
}
FITTED = dict.fromkeys(TRAINED, "") | {"kind": "metadata_baseline", "resolution": 0, "recipe": {}}
FITTED_MODELS = ("constant", "metadata_only")


def make_spec(model: str, seed: int, shared: ProtocolFacts, changes: dict) -> Spec:
    """Of a network, or of a model that sees no image."""
    usual = FITTED if model in FITTED_MODELS else TRAINED
    of = {
        "dataset": shared.dataset,
        "dataset_version": shared.dataset_version,
        "manifest_sha256": sha256(shared.id.encode()),
        "protocol": _name(shared),
    }
    return Spec(model=model, seed=seed, **usual | of | changes)


def _name(shared: ProtocolFacts) -> str:
    """The protocol of specs that have these facts."""
    if shared.withheld:
        return f"without:{shared.withheld}"
    return f"probe:{shared.probe}" if shared.probe else shared.legacy_name or PUBLISHED


def code(of: Spec) -> dict[str, str]:
    """The versions of now; a model that is not in the package is at its first."""
    model_file = discover().get(of.model)
    try:
        return ({} if model_file else {"model": "1"}) | code_of(of, model_file)
    except UserError:  # a variant of a made-up name
        return {"model": "1"}


def dataset_facts(shared: ProtocolFacts, kind: str) -> DatasetFacts:
    """Real images that may be passed on."""
    return replace(
        a_dataset(shared.findings, kind),
        label_version=shared.label_version,
        projections=shared.projections,
        image_source=shared.image_source,
        simulated=False,
        licence="CC BY 4.0",
        citation="Somebody 2018",
    )


def row(of: Spec, shared: ProtocolFacts, kind: str) -> Row:
    return a_row(
        of,
        shared.findings,
        kind,
        dataset=dataset_facts(shared, kind),
        protocol=shared,
        model=ModelFacts(
            title=of.model.title(),
            reference="",
            parameters=1234567,
            deterministic=of.model == "constant",
        ),
        code=code(of),
        phases={"train": 12.5 + of.seed},
        environment=an_environment(cpu="Some CPU"),
    )


def add_row(
    results: Results,
    model: str,
    seed: int = 0,
    *,
    strength: float = 2.0,
    kind: str = "binary",
    shared: ProtocolFacts | None = None,
    spec: dict | None = None,
    people: dict | None = None,
    failed: str = "",
    **changes,
) -> Row:
    """Add one row, with predictions of the given strength unless it failed.

    ``spec``: other fields of the spec. ``people``: age, sex or view of the images, arrays (190,).
    """
    shared = shared or protocol()
    made = replace(row(make_spec(model, seed, shared, spec or {}), shared, kind), **changes)
    if failed:
        stopped = {"status": "failed"} | changes
        made = replace(made, status=stopped["status"], error=Failure(reason=failed))
        made = replace(made, predictions_sha256=None)
    else:
        path = results.predictions_path(made.spec_id, made.dataset.redistributable)
        content = predictions(shared, strength, 100 * seed + crc32(model.encode()), kind)
        content = dataclasses.replace(content, **people or {})
        content = without_test(content) if made.spec.no_test else content
        digest = write_predictions(path, content)
        counts = changes.get("counts") or counts_of(content)
        made = replace(made, predictions_sha256=digest, counts=counts)
    results.write_row(made)
    return made


def add_seeds(results: Results, model: str, **facts) -> list[Row]:
    """Add the same configuration with seeds 0, 1 and 2."""
    return [add_row(results, model, seed, **facts) for seed in range(3)]


def make_rare(results: Results, rows: list[Row], finding: str) -> None:
    """Leave a finding of several in three training images alone, so that no mean is of it."""
    for each in rows:
        path = results.predictions_path(each.spec_id)
        content = read_predictions(path, "multilabel")
        column = content.findings.index(finding)
        content.targets[:, column] = 0
        content.targets[:3, column] = 1
        digest = write_predictions(path, content)
        results.write_row(replace(each, predictions_sha256=digest, counts=counts_of(content)))
