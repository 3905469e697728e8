"""A combination of the saved predictions of its members, by one of the rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmark.ensembles.rules import AXIS
from benchmark.kinds.ensemble import EnsembleKind, Way, declared
from benchmark.spec import Spec
from benchmark.training.weights import is_fixed


class Vote(EnsembleKind):
    """The rules are in :mod:`benchmark.ensembles.rules`, one file each."""

    def ways(self) -> Mapping[str, Way]:
        """A way for each rule."""
        return {name: _way(name) for name in AXIS.names()}

    def way(self, spec: Spec) -> Way:
        """That of the spec's rule."""
        return _way(declared(spec).rule or "")

    def deterministic(self, spec: Spec, card: Mapping[str, Any]) -> bool:
        """Where there is none in its members, of whose scheme it is."""
        return card["deterministic"] or is_fixed(spec.scheme, spec.weights)

    def ranked(self, spec: Spec) -> bool:
        """Not where a rule gives few distinct scores, as a vote of decisions does."""
        return AXIS.find(declared(spec).rule or "").card["ranked_by_auc"]


def _way(rule: str) -> Way:
    card = AXIS.find(rule).card
    told = (card[key] for key in ("title", "description", "reference", "version"))
    return Way(tuple(card["options"]), (2, None), *told)


KIND = Vote()
