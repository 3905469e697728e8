"""Small results folders with generated predictions."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import partial
from pathlib import Path
from zlib import crc32

import numpy as np
import pytest

from benchmark.legacy import find_protocol
from benchmark.records.files import canonical_json, sha256
from benchmark.records.predictions import Predictions, link, write_predictions
from benchmark.records.store import Results, Row
from benchmark.training.recipe import make_recipe

SPLIT_SIZES = {"train": 80, "validation": 50, "test": 60}


def predictions(protocol: dict, strength: float, seed: int, kind: str) -> Predictions:
    """Two images a patient; targets depend on the protocol alone, logits on strength and seed."""
    findings = tuple(protocol["findings"])
    data = np.random.default_rng(crc32(protocol["id"].encode()))
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


def protocol(dataset: str = "toy/official", findings=("pneumonia",), **changes) -> dict:
    facts = {
        "dataset": dataset,
        "dataset_version": "1.0.0",
        "split": "as published",
        "findings": list(findings),
        "label_version": "2018",
        "projections": ["AP"],
        "rendition": "original",
        "test_digest": "0" * 64,
        "limit": None,
        "legacy": False,
    } | changes
    return facts | {"id": sha256(canonical_json(facts))[:12]}


def legacy(name: str, **changes) -> dict:
    """The facts of a legacy protocol."""
    return protocol(legacy=True, legacy_name=name, rule=find_protocol(name).rule, **changes)


def row(model: str, seed: int, shared: dict, kind: str, cell: dict) -> Row:
    cell = {
        "dataset": shared["dataset"],
        "dataset_version": shared["dataset_version"],
        "manifest_sha256": shared["id"],
        "model": model,
        "resolution": 64,
        "preprocessing": "raw",
        "normalisation": "unit",
        "imbalance": "none",
        "weights": "random",
        "augmentation": "none",
        "seed": seed,
        "recipe": make_recipe({"epochs": 10}).as_dict(),
        "backend": "tensorflow",
        "device": "cpu",
        "precision": "float32",
        "threads": 2,
        "micro_batch": 32,
        "limit": None,
    } | cell
    config = {key: value for key, value in cell.items() if key != "seed"}
    positives = dict.fromkeys(shared["findings"], 30)
    return {
        "cell_id": sha256(canonical_json(cell))[:12],
        "config_id": sha256(canonical_json(config))[:12],
        "suite": "toy",
        "status": "done",
        "error": None,
        "cell": cell,
        "dataset": {
            "task": {"findings": shared["findings"], "kind": kind},
            "label_version": shared["label_version"],
            "projections": shared["projections"],
            "rendition": shared["rendition"],
            "simulated": False,
            "redistributable": True,
            "licence": "CC BY 4.0",
            "citation": "Somebody 2018",
            "verdict": "clean",
            "reasons": [],
        },
        "protocol": shared,
        "watermarks": [],
        "model": {
            "title": model.title(),
            "reference": "",
            "parameters": 1234567,
            "sha256": "1" * 64,
            "deterministic": model == "constant",
        },
        "counts": {
            split: {"images": n, "patients": n // 2, "positives": positives}
            for split, n in SPLIT_SIZES.items()
        },
        "predictions_sha256": None,
        "history": None,
        "phases": {"train": 12.5 + seed},
        "peak_memory_mb": 900,
        "provenance": {"hardware": {"cpu": "Some CPU", "cores": 2, "memory_gb": 8}},
    }


@pytest.fixture
def results(tmp_path: Path) -> Results:
    return Results(tmp_path / "results")


def add_row(
    results: Results,
    model: str,
    seed: int = 0,
    *,
    strength: float = 2.0,
    kind: str = "binary",
    shared: dict | None = None,
    cell: dict | None = None,
    people: dict | None = None,
    **changes,
) -> Row:
    """Add one row, with predictions of the given strength unless its status is another.

    ``people``: age, sex or view of the images, arrays (190,).
    """
    shared = shared or protocol()
    made = row(model, seed, shared, kind, cell or {}) | changes
    if made["status"] == "done":
        path = results.predictions_path(made["cell_id"], made["dataset"]["redistributable"])
        content = predictions(shared, strength, 100 * seed + crc32(model.encode()), kind)
        content = dataclasses.replace(content, **people or {})
        made["predictions_sha256"] = write_predictions(path, content)
    results.write_row(made)
    return made


@pytest.fixture
def add(results: Results) -> Callable[..., Row]:
    """:func:`add_row` for the test's own results folder."""
    return partial(add_row, results)


@pytest.fixture
def add_seeds(add) -> Callable[..., list[Row]]:
    """Add the same configuration with seeds 0, 1 and 2."""
    return lambda model, **facts: [add(model, seed, **facts) for seed in range(3)]


@pytest.fixture
def make_protocol() -> Callable[..., dict]:
    return protocol


@pytest.fixture
def make_legacy() -> Callable[..., dict]:
    return legacy


HOSTILE = """<script>alert("1")</script> "onmouseover='x' & | *b* [l](https://example.org) `c`"""
HISTORY = {"loss": [0.7, 0.4, 0.3], "val_auc": [0.6, None, 0.8], "best_epoch": 2}


@pytest.fixture(scope="session")
def site(tmp_path_factory) -> tuple[Path, Results]:
    """A site and its results: two protocols, names made to break out, failures, subgroups."""
    from benchmark.report.html.site import write_site

    results = Results(tmp_path_factory.mktemp("results"))
    chance = np.random.default_rng(0)
    people = {"sex": chance.choice(["F", "M"], 190), "view": chance.choice(["PA", HOSTILE], 190)}
    for seed in range(3):
        add_row(results, "cnn", seed, strength=3.0, history=HISTORY)
        add_row(results, "resnet50", seed, strength=1.0, cell={"resolution": 224})
    add_row(results, "constant", strength=0.0, cell={"resolution": 0})
    add_row(results, "mlp", status="failed", error={"reason": HOSTILE})
    names = ("Normal", HOSTILE, "other")
    shared = protocol(f"toy/{HOSTILE}", names, split=HOSTILE, label_version=HOSTILE)
    facts = {"shared": shared, "kind": "multiclass", "suite": HOSTILE, "people": people}
    add_row(results, HOSTILE, strength=2.0, cell={"imbalance": HOSTILE}, **facts)
    out = tmp_path_factory.mktemp("site")
    write_site(results, out)
    return out, results
