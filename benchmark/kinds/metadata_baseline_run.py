"""Run a model that sees no image: the constant predictor and the metadata-only model."""

from __future__ import annotations

from benchmark.data.prepared import SPLITS
from benchmark.kinds.job import Outcome, SpecJob
from benchmark.models import fit


def run(job: SpecJob) -> Outcome:
    """Fit on the training split's metadata and predict every split.

    Raises:
        benchmark.models.NotApplicable: the set has no metadata that the model could use.
    """
    parts = {split: job.data[split].part for split in SPLITS}
    metadata = {
        split: {"age": part.age, "sex": part.sex, "view": part.view}
        for split, part in parts.items()
    }
    train, task = parts["train"], job.prepared.task
    with job.phases.phase("train"):
        predict = fit(job.model_file, metadata["train"], train.targets, train.labelled, task)
    with job.phases.phase("predict"):
        logits = {split: predict(metadata[split]) for split in SPLITS}
    return Outcome(logits, parameters=0)
