"""The weighted share of the members' decisions."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from benchmark.ensembles.voters import Voter
from benchmark.ensembles.voting import hard_vote
from benchmark.spec import EnsembleRule

CARD = {
    "title": "Weighted vote of the decisions of {members}",
    "description": "Weighted share of the members' decisions: argmax, or each member's own"
    " threshold, frozen on validation.",
    "reference": "Kittler et al. 1998, doi:10.1109/34.667881",
    "version": 1,
    "options": ["weights"],
    "ranked_by_auc": False,
}


def combine(voters: Mapping[str, Voter], rule: EnsembleRule) -> tuple[np.ndarray, list[str]]:
    """Count, with the weights that the suite gives."""
    decisions = [voter.decisions for voter in voters.values()]
    weights = [voter.weight for voter in voters.values()]
    kind = next(iter(voters.values())).predictions.kind
    return hard_vote(decisions, weights, kind), list(voters)
