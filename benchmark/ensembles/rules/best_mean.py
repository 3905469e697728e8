"""The mean of the members that are best by validation."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from benchmark.ensembles.selection import best_members
from benchmark.ensembles.voters import Voter
from benchmark.ensembles.voting import soft_vote
from benchmark.spec import EnsembleRule

CARD = {
    "title": "Mean of the probabilities of the best {k} by validation of {members}",
    "description": "Mean of the probabilities of the best `k` members by macro AUC on validation.",
    "reference": "Caruana et al. 2004, doi:10.1145/1015330.1015432",
    "version": 1,
    "options": ["k"],
}


def combine(voters: Mapping[str, Voter], rule: EnsembleRule) -> tuple[np.ndarray, list[str]]:
    """Choose, and average what was chosen, best first."""
    best = best_members({name: voter.predictions for name, voter in voters.items()}, rule.best)
    logits = [voters[name].predictions.logits for name in best]
    return soft_vote(logits, [1.0] * len(best), voters[best[0]].predictions.kind), best
