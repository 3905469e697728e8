"""Train a head on the joined features of an ensemble's best members."""

from __future__ import annotations

from dataclasses import replace

import keras

from benchmark.ensembles.joined import head, join, penultimate
from benchmark.ensembles.members import best_of
from benchmark.kinds.ensemble import declared
from benchmark.kinds.ensemble_job import EnsembleJob, parameters
from benchmark.kinds.job import Outcome, SpecJob
from benchmark.records.run_facts import EnsembleFacts
from benchmark.spec import Spec
from benchmark.task import Task
from benchmark.training.frozen import features_of_splits
from benchmark.training.network import check_device, determinism
from benchmark.training.stage import predict_splits, run_stage


def run(job: SpecJob) -> Outcome:
    """Train the head; the members stay as they are.

    Raises:
        benchmark.models.NotApplicable: the saved weights of a chosen member are not there.
    """
    spec, task, context = job.spec, job.prepared.task, job.context
    check_device(context.environment)
    ensemble = EnsembleJob.of(job)
    members = best_of(ensemble.members, declared(spec).best)
    for name in members:
        ensemble.saved(name)
    features = []
    for name, member in members.items():
        images = ensemble.images(member)
        training = job.training(images)
        file = ensemble.file.models[name]
        of_member = replace(training, spec=member.spec, model_file=file)
        with job.phases.phase("build"):
            network = penultimate(ensemble.network(name))
        drawn, splits = features_of_splits(network, of_member)
        features.append({"drawn": drawn, **splits})
    inputs = join(features)
    network = _fresh_head(spec, inputs["train"].shape[1], task)
    train = replace(training.train, images=inputs["drawn"])
    with job.phases.phase("train"):
        history, validation = run_stage(
            network, training, train, inputs["validation"], training.recipe, "none"
        )
    with job.phases.phase("predict"):
        logits = predict_splits(network, inputs, validation, context.heartbeat)
    outcome = Outcome(
        logits,
        network.count_params() + parameters(members),
        history.as_record(),
        determinism(context.environment),
        ensemble=EnsembleFacts(used=list(members)),
    )
    return ensemble.told(outcome)


def _fresh_head(spec: Spec, width: int, task: Task) -> keras.Model:
    keras.utils.clear_session(free_memory=True)
    keras.utils.set_random_seed(spec.seed)
    keras.config.set_dtype_policy(spec.precision)
    return head(width, task)
