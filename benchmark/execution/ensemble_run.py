"""Run one spec of an ensemble: read its members' predictions, and combine or add to them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchmark.data.gathered import Images
from benchmark.data.prepared import SPLITS, Prepared
from benchmark.data.split_data import SplitData
from benchmark.ensembles.declaration import KINDS
from benchmark.ensembles.members import Member, Members, best_of, read_members
from benchmark.ensembles.model_file import EnsembleFile, kind_name
from benchmark.ensembles.voting import hard_vote, soft_vote
from benchmark.execution.spec_run import Context, Event, Outcome, Phases
from benchmark.records.row import EnsembleFacts
from benchmark.records.store import Results
from benchmark.scoring.stored import stored_scores
from benchmark.scoring.thresholds import argmax_decisions
from benchmark.spec import MEMBER, EnsembleRule, Spec

if TYPE_CHECKING:  # a vote needs no Keras
    import keras


@dataclass(frozen=True)
class EnsembleJob:
    """An ensemble that sees images, about to be run.

    Attributes:
        file: what it is made of.
        data: for each split which images, and their ids, metadata and targets.
        phases: gets the time of each phase.
        on_event: told about every finished epoch of what the ensemble trains itself.
    """

    spec: Spec
    file: EnsembleFile
    members: Members
    prepared: Prepared
    data: dict[str, SplitData]
    context: Context
    phases: Phases
    on_event: Event

    def images(self, member: Member) -> dict[str, Images]:
        """The images of each split as a member sees them, uint8 (N, S, S)."""
        from benchmark.execution.image_model import open_images

        with self.phases.phase("views"):
            return open_images(member.spec, self.prepared, self.data, self.context, self.on_event)

    def restored(self, name: str) -> keras.Model:
        """The network of a member as it was trained; a NotApplicable where its weights are gone."""
        from benchmark.execution.restored import restored

        return restored(
            name,
            self.members[name],
            self.file.models[name],
            self.prepared.task,
            self.context.results,
        )


def run_ensemble(
    spec: Spec,
    file: EnsembleFile,
    prepared: Prepared,
    data: dict[str, SplitData],
    context: Context,
    phases: Phases,
    on_event: Event,
) -> Outcome:
    """Predict every split by an ensemble.

    Args:
        data: for each split which images, and their ids, metadata and targets.
        phases: gets the time of each phase.
        on_event: told about every finished epoch of what the ensemble trains itself.

    Raises:
        benchmark.models.NotApplicable: a member did not finish, or leaves nothing to build on.
        benchmark.ensembles.members.MembersDiffer: predictions of a member are of other images.
    """
    with phases.phase("read"):
        members = read_members(spec, context.results, {s: data[s].part for s in SPLITS})
    if KINDS[kind_name(spec)].sees_images:
        run = _seeing(spec.kind)
        outcome = run(EnsembleJob(spec, file, members, prepared, data, context, phases, on_event))
    else:
        with phases.phase("vote"):
            outcome = _vote(spec.ensemble, members, context.results)
    outcome.made_from |= {MEMBER + name: member.used for name, member in members.items()}
    outcome.watermarks += sorted({m for each in members.values() for m in each.row.watermarks})
    return outcome


def _seeing(kind: str) -> Callable[[EnsembleJob], Outcome]:
    """What runs an ensemble of a kind that sees images, and so needs Keras."""
    from benchmark.execution.anomaly_run import run_anomaly
    from benchmark.execution.ensemble_training import run_joined_features, run_specialist

    return {
        "anomaly": run_anomaly,
        "joined_features": run_joined_features,
        "specialist": run_specialist,
    }[kind]


def _vote(rule: EnsembleRule, members: Members, results: Results) -> Outcome:
    if rule.rule == "best_mean":
        members = best_of(members, rule.k)
    weights = [(rule.weights or {}).get(name, 1.0) for name in members]
    predictions = [member.predictions for member in members.values()]
    kind, split = predictions[0].kind, predictions[0].split
    if rule.rule == "hard_vote":
        decisions = [_decisions(member, results) for member in members.values()]
        logits = hard_vote(decisions, weights, kind)
    else:
        logits = soft_vote([each.logits for each in predictions], weights, kind)
    return Outcome(
        {name: logits[split == name] for name in SPLITS},
        parameters=sum(member.row.model.parameters for member in members.values()),
        determinism="a function of the members' predictions",
        ensemble=EnsembleFacts(used=list(members)),
    )


def _decisions(member: Member, results: Results) -> np.ndarray:
    """What a member decides by itself, (N, F) bool: argmax, or its threshold from validation."""
    predictions = member.predictions
    if predictions.kind == "multiclass":
        return argmax_decisions(predictions.probabilities)
    thresholds = stored_scores(results, member.row).thresholds
    return predictions.probabilities >= [thresholds[name] for name in predictions.findings]
