"""The weighted mean of the members' probabilities."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from benchmark.ensembles.voters import Voter
from benchmark.ensembles.voting import soft_vote
from benchmark.spec import EnsembleRule

CARD = {
    "title": "Weighted mean of the probabilities of {members}",
    "description": "Weighted mean of the members' probabilities.",
    "reference": "Kittler et al. 1998, doi:10.1109/34.667881",
    "version": 1,
    "options": ["weights"],
}


def combine(voters: Mapping[str, Voter], rule: EnsembleRule) -> tuple[np.ndarray, list[str]]:
    """Average, with the weights that the suite gives."""
    votes = [voter.predictions for voter in voters.values()]
    weights = [voter.weight for voter in voters.values()]
    return soft_vote([each.logits for each in votes], weights, votes[0].kind), list(voters)
