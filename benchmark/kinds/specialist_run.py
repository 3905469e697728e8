"""Train a second model on the findings that the first one confuses."""

from __future__ import annotations

from dataclasses import replace

from msgspec import structs

from benchmark.data.prepared import SPLITS
from benchmark.ensembles.selection import most_confused
from benchmark.ensembles.specialist import AllSplits, of_findings, take_over
from benchmark.kinds import classifier_run
from benchmark.kinds.ensemble import declared
from benchmark.kinds.ensemble_job import EnsembleJob
from benchmark.kinds.job import Outcome, SpecJob
from benchmark.models import NotApplicable
from benchmark.records.run_facts import EnsembleFacts


def run(job: SpecJob) -> Outcome:
    """Train the second model, and let it take over where the first one calls such a finding.

    The second model's weights are saved as the ensemble's.

    Raises:
        NotApplicable: the first model confuses nothing on validation.
    """
    ensemble, prepared = EnsembleJob.of(job), job.prepared
    ((name, first),) = ensemble.members.items()
    group, confused = most_confused(first.predictions, declared(job.spec).best)
    if not confused:
        raise NotApplicable(
            f"its member {name} takes no finding for another on validation: there is nothing for "
            "a second model to learn"
        )
    findings = [prepared.task.findings[i] for i in group]
    assert ensemble.file.second is not None  # suites declare one for every specialist
    theirs = {split: of_findings(job.data[split], group) for split in ("train", "validation")}
    second = replace(
        job,
        model_file=ensemble.file.second,
        prepared=replace(prepared, facts=structs.replace(prepared.facts, findings=findings)),
        data=theirs | {"test": AllSplits(job.data)},  # type: ignore[arg-type]  # for its images
    )
    outcome = classifier_run.run(second)
    logits = take_over(first.predictions.logits, outcome.logits["test"], group)
    split = first.predictions.split
    outcome = replace(
        outcome,
        logits={each: logits[split == each] for each in SPLITS},
        parameters=outcome.parameters + ensemble.parameters,
        ensemble=EnsembleFacts(used=[name], findings=findings, confused_on_validation=confused),
    )
    return ensemble.told(outcome)
