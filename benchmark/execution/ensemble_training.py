"""Ensembles that train something: a head on joined features, or a second-stage specialist."""

from __future__ import annotations

from dataclasses import replace

import keras
from msgspec import structs

from benchmark.data.gathered import Images
from benchmark.data.prepared import SPLITS
from benchmark.ensembles.joined import head, join, penultimate
from benchmark.ensembles.members import Members, best_of
from benchmark.ensembles.selection import most_confused
from benchmark.ensembles.specialist import AllSplits, of_findings, take_over
from benchmark.execution.ensemble_run import EnsembleJob
from benchmark.execution.image_model import (
    check_device,
    determinism,
    make_job,
    run_image_model,
)
from benchmark.execution.restored import check_saved
from benchmark.execution.spec_run import Outcome
from benchmark.execution.stage import predict_logits, predict_splits, run_stage
from benchmark.models import NotApplicable
from benchmark.records.row import EnsembleFacts
from benchmark.spec import Spec
from benchmark.task import Task


def run_joined_features(ensemble: EnsembleJob) -> Outcome:
    """Train a head on the joined features of the best members, which stay as they are.

    Raises:
        NotApplicable: the saved weights of a chosen member are not there.
    """
    spec, phases, task = ensemble.spec, ensemble.phases, ensemble.prepared.task
    check_device(ensemble.context.environment)
    members = best_of(ensemble.members, spec.ensemble.k)
    for name, member in members.items():
        check_saved(name, member, ensemble.context.results)
    features = []
    for name, member in members.items():
        images = ensemble.images(member)
        job = make_job(
            spec, ensemble.file, task, ensemble.data, images, ensemble.context, phases,
            ensemble.on_event,
        )  # fmt: skip
        with phases.phase("features"):
            network = penultimate(ensemble.restored(name))
            features.append(_features(network, images, job.train.images))
    inputs = join(features)
    network = _fresh_head(spec, inputs["train"].shape[1], task)
    train = replace(job.train, images=inputs["drawn"])
    with phases.phase("train"):
        history, validation = run_stage(
            network, job, train, inputs["validation"], job.recipe, "none"
        )
    with phases.phase("predict"):
        logits = predict_splits(network, inputs, validation)
    return Outcome(
        logits,
        network.count_params() + _parameters(members),
        history.as_record(),
        determinism(ensemble.context.environment),
        ensemble=EnsembleFacts(used=list(members)),
    )


def run_specialist(ensemble: EnsembleJob) -> Outcome:
    """Train a second model on the findings that the first confuses, and let it take over there.

    The second model's weights are saved as the ensemble's.

    Raises:
        NotApplicable: the first model confuses nothing on validation.
    """
    rule, prepared = ensemble.spec.ensemble, ensemble.prepared
    ((name, first),) = ensemble.members.items()
    group, confused = most_confused(first.predictions, rule.k)
    if not confused:
        raise NotApplicable(
            f"its member {name} takes no finding for another on validation: there is nothing for "
            "a second model to learn"
        )
    findings = [prepared.task.findings[i] for i in group]
    theirs = {split: of_findings(ensemble.data[split], group) for split in ("train", "validation")}
    outcome = run_image_model(
        ensemble.spec,
        ensemble.file.models[rule.second],
        replace(prepared, facts=structs.replace(prepared.facts, findings=findings)),
        theirs | {"test": AllSplits(ensemble.data)},
        ensemble.context,
        ensemble.phases,
        ensemble.on_event,
    )
    logits = take_over(first.predictions.logits, outcome.logits["test"], group)
    split = first.predictions.split
    return replace(
        outcome,
        logits={each: logits[split == each] for each in SPLITS},
        parameters=outcome.parameters + _parameters(ensemble.members),
        ensemble=EnsembleFacts(used=[name], findings=findings, confused_on_validation=confused),
    )


def _features(network: keras.Model, images: dict[str, Images], drawn: Images) -> dict:
    """Features by split, and of what an epoch draws from: the training images, then copies."""
    found = {split: predict_logits(network, images[split]) for split in ("validation", "test")}
    found["drawn"] = predict_logits(network, drawn)
    return found | {"train": found["drawn"][: len(images["train"])]}


def _fresh_head(spec: Spec, width: int, task: Task) -> keras.Model:
    keras.utils.clear_session(free_memory=True)
    keras.utils.set_random_seed(spec.seed)
    keras.config.set_dtype_policy(spec.precision)
    return head(width, task)


def _parameters(members: Members) -> int:
    return sum(member.row.model.parameters for member in members.values())
