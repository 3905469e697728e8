"""Run a model that sees no image: constant, of metadata, or of the original file's shape."""

from __future__ import annotations

import numpy as np

from benchmark.data.prepared import Prepared
from benchmark.data.split_data import SplitData
from benchmark.errors import UserError
from benchmark.kinds.job import Outcome, SpecJob
from benchmark.models import fit

Known = dict[str, np.ndarray]


def run(job: SpecJob) -> Outcome:
    """Fit on what is known of the training images and predict every split.

    Raises:
        benchmark.models.NotApplicable: the set knows nothing that the model could use.
        UserError: the shapes were recorded anew after the spec was planned.
    """
    of_shape = job.model_file.card["inputs"] == "shape"
    known = _shapes(job) if of_shape else {s: _metadata(data) for s, data in job.data.items()}
    train, task = job.data["train"].part, job.prepared.task
    with job.phases.phase("train"):
        predict = fit(job.model_file, known["train"], train.targets, train.labelled, task)
    with job.phases.phase("predict"):
        logits = {split: predict(each) for split, each in known.items()}
    return Outcome(logits, parameters=0)


def _metadata(data: SplitData) -> Known:
    return {"age": data.part.age, "sex": data.part.sex, "view": data.part.view}


def _shapes(job: SpecJob) -> dict[str, Known]:
    prepared, spec = job.prepared, job.spec
    if prepared.shapes is None or prepared.shapes_sha256 != spec.shapes_sha256:
        raise UserError(
            f"shapes of {spec.dataset} were recorded anew after this spec was planned; run again"
        )
    shapes = prepared.shapes
    return {split: shapes.columns(_lines(prepared, each)) for split, each in job.data.items()}


def _lines(prepared: Prepared, data: SplitData) -> np.ndarray:
    """Lines of the manifest that the images of a split stand in; of a copy that of its original."""
    split = prepared.manifest()["split"].to_numpy(str)
    lines = np.concatenate([np.flatnonzero(split == source) for source in data.sources])
    return lines if data.rows is None else lines[data.rows]
