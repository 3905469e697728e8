"""What an evaluation on another data set leaves behind: its predictions and its row."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from benchmark.data.prepared import Prepared
from benchmark.data.shared_findings import Groups
from benchmark.execution.cell_run import base_row
from benchmark.models import ModelFile
from benchmark.records.files import canonical_json, sha256
from benchmark.records.predictions import Predictions, link
from benchmark.records.store import Row
from benchmark.scoring.carried import carried_logits, carried_targets
from benchmark.suites.cell import ID_LENGTH, Cell
from benchmark.task import Task


def test_predictions(
    target: Prepared, logits: np.ndarray, learnt: Task, ours: Groups, theirs: Groups
) -> Predictions:
    """Predictions of common findings on the target's test images.

    Args:
        logits: (N, F) of what the network has learnt.
        ours, theirs: common name -> findings of what it has learnt, and of the target.
    """
    part = target.part("test")
    kind = "binary" if len(ours) == 1 else "multilabel"
    values = carried_logits(logits, learnt.findings, learnt.exclusive, ours)
    known = np.where(part.labelled, part.targets, np.nan)
    return Predictions(
        tuple(ours),
        kind,
        split=np.full(len(part), "test"),
        **{name: getattr(part, name) for name in ("image_id", "patient_id", "age", "sex", "view")},
        targets=carried_targets(known, target.task.findings, theirs),
        logits=values,
        probabilities=link(values, kind),
    )


def joined(first: Predictions, second: Predictions) -> Predictions:
    """Both, one after the other; findings and kind are the same."""
    arrays = {
        name: np.concatenate([values, getattr(second, name)])
        for name, values in vars(first).items()
        if isinstance(values, np.ndarray)
    }
    return replace(first, **arrays)


def cross_row(
    cell: Cell, row: Row, target: Prepared, model_file: ModelFile, both: Predictions
) -> Row:
    """The row of an evaluation, but for what it took and what may be wrong with it.

    Args:
        cell: what stands for it.
        row: whose network is evaluated.
        both: predictions of common findings, of the row's validation and the target's test split.
    """
    legacy = ["trained under a legacy protocol"] if row["protocol"]["legacy"] else []
    made = base_row(cell, target, model_file, row["suite"])
    facts = {
        **{key: value for key, value in made["protocol"].items() if key != "id"},
        "findings": list(both.findings),
        "cross": True,
    }
    digest = sha256(canonical_json([row["config_id"], cell.dataset, cell.manifest_sha256]))
    made["dataset"]["redistributable"] &= row["dataset"]["redistributable"]
    made["dataset"]["task"] = {"findings": list(both.findings), "kind": both.kind}
    return made | {
        "status": "done",
        "config_id": digest[:ID_LENGTH],
        "protocol": facts | {"id": sha256(canonical_json(facts))[:ID_LENGTH]},
        "source": {
            **{key: row[key] for key in ("cell_id", "config_id", "predictions_sha256")},
            "dataset": row["cell"]["dataset"],
            "weights": row["cell"]["weights"],
        },
        "counts": {split: _counts(both.part(split)) for split in ("validation", "test")},
        "model": row["model"],
        "watermarks": [*row["watermarks"], *legacy],
    }


def _counts(predictions: Predictions) -> dict[str, Any]:
    """Images, patients and positive images of each finding."""
    positives = (predictions.targets == 1).sum(axis=0).tolist()
    return {
        "images": len(predictions.split),
        "patients": len(np.unique(predictions.patient_id)),
        "positives": dict(zip(predictions.findings, positives, strict=True)),
    }
