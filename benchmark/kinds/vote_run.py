"""Combine the saved predictions of an ensemble's members."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np

from benchmark.data.prepared import SPLITS
from benchmark.ensembles.members import Members
from benchmark.ensembles.rules import AXIS
from benchmark.ensembles.voters import Voter
from benchmark.kinds.ensemble import declared
from benchmark.kinds.ensemble_job import EnsembleJob, parameters
from benchmark.kinds.job import Outcome, SpecJob
from benchmark.records.row import Row
from benchmark.records.run_facts import EnsembleFacts
from benchmark.records.store import Results
from benchmark.scoring.stored import stored_scores
from benchmark.spec import EnsembleRule


def run(job: SpecJob) -> Outcome:
    """Predict every split by a vote.

    Raises:
        benchmark.models.NotApplicable: a member did not finish.
        benchmark.ensembles.members.MembersDiffer: predictions of a member are of other images.
    """
    ensemble = EnsembleJob.of(job)
    with job.phases.phase("vote"):
        outcome = _vote(declared(job.spec), ensemble.members, job.context.results)
    return ensemble.told(outcome)


def _vote(rule: EnsembleRule, members: Members, results: Results) -> Outcome:
    logits, used = vote(rule, members, results)
    split = next(iter(members.values())).predictions.split
    return Outcome(
        {name: logits[split == name] for name in SPLITS},
        parameters=parameters({name: members[name] for name in used}),
        determinism="a function of the members' predictions",
        ensemble=EnsembleFacts(used=used),
    )


def vote(rule: EnsembleRule, members: Members, results: Results) -> tuple[np.ndarray, list[str]]:
    """Combine saved predictions by a rule.

    Returns:
        Logits float64 (N, F) in the order of the predictions, and the names of the members that
        have a part in them.
    """
    weights = rule.weights or {}
    voters = {
        name: Voter(
            member.predictions, weights.get(name, 1.0), partial(_thresholds, results, member.row)
        )
        for name, member in members.items()
    }
    return AXIS.find(rule.rule or "").load()(voters, rule)


def _thresholds(results: Results, row: Row) -> Mapping[str, float]:
    return stored_scores(results, row).thresholds
