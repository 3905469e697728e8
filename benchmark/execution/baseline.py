"""Run a model that sees no image: the constant predictor and the metadata-only model."""

from __future__ import annotations

from benchmark.data.prepared import SPLITS, ManifestPart
from benchmark.execution.spec_run import Outcome, Phases
from benchmark.models import ModelFile, fit
from benchmark.task import Task


def run_baseline(
    model_file: ModelFile, task: Task, parts: dict[str, ManifestPart], phases: Phases
) -> Outcome:
    """Fit on the training split's metadata and predict every split.

    Raises:
        benchmark.models.NotApplicable: the set has no metadata that the model could use.
    """
    metadata = {
        split: {"age": part.age, "sex": part.sex, "view": part.view}
        for split, part in parts.items()
    }
    train = parts["train"]
    with phases.phase("train"):
        predict = fit(model_file, metadata["train"], train.targets, train.labelled, task)
    with phases.phase("predict"):
        logits = {split: predict(metadata[split]) for split in SPLITS}
    return Outcome(logits, parameters=0)
