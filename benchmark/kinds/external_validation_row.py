"""What an evaluation on another data set leaves behind: its predictions and its row."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
from msgspec import structs

from benchmark.data.prepared import Prepared
from benchmark.data.shared_findings import Groups
from benchmark.kinds.running import base_row
from benchmark.machine.environment import Environment
from benchmark.models import ModelFile
from benchmark.protocols import of_row
from benchmark.records.facts import ProtocolFacts, SplitCounts, TaskFacts
from benchmark.records.predictions import Predictions, link
from benchmark.records.row import Row
from benchmark.scoring.shared_findings import shared_logits, shared_targets
from benchmark.spec import Spec
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
    values = shared_logits(logits, learnt.findings, learnt.exclusive, ours)
    return Predictions(
        tuple(ours),
        kind,
        split=np.full(len(part), "test"),
        **part.described,
        targets=shared_targets(part.known_targets, target.task.findings, theirs),
        logits=values,
        probabilities=link(values, kind),
    )


def joined(first: Predictions, second: Predictions) -> Predictions:
    """Both, one after the other; findings and kind are the same."""
    arrays: dict[str, Any] = {
        name: np.concatenate([values, getattr(second, name)])
        for name, values in vars(first).items()
        if isinstance(values, np.ndarray)
    }
    return replace(first, **arrays)


def evaluated_row(
    spec: Spec,
    row: Row,
    target: Prepared,
    model_file: ModelFile,
    both: Predictions,
    environment: Environment,
) -> Row:
    """The row of an evaluation, but for what it took and what may be wrong with it.

    Args:
        spec: what stands for it.
        row: whose network is evaluated.
        both: predictions of common findings, of the row's validation and the target's test split.
    """
    legacy = ["trained under a legacy protocol"] if not of_row(row).ranked else []
    made = base_row(spec, target, model_file, row.suite, environment)
    facts = msgspec.to_builtins(made.protocol) | {"findings": list(both.findings), "cross": True}
    del facts["id"]
    return structs.replace(
        made,
        status="done",
        dataset=structs.replace(
            made.dataset,
            redistributable=made.dataset.redistributable and row.dataset.redistributable,
            task=TaskFacts(findings=list(both.findings), kind=both.kind),  # type: ignore[arg-type]
        ),
        protocol=ProtocolFacts.of(facts),
        counts={split: _counts(both.part(split)) for split in ("validation", "test")},
        model=row.model,
        watermarks=[*row.watermarks, *legacy],
    )


def _counts(predictions: Predictions) -> SplitCounts:
    """Images, patients and positive images of each finding."""
    positives = (predictions.targets == 1).sum(axis=0).tolist()
    return SplitCounts(
        images=len(predictions.split),
        patients=len(np.unique(predictions.patient_id)),
        positives=dict(zip(predictions.findings, positives, strict=True)),
    )
