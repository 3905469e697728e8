"""A network that says how probable each finding is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmark.kinds.base import Circumstances, Kind
from benchmark.models import check_size
from benchmark.spec import WEIGHTS, Spec
from benchmark.training.imbalance import check_policy
from benchmark.training.schemes import is_by_gradient
from benchmark.training.starting_weights import check_start
from benchmark.training.weight_files import MissingWeights


class Classifier(Kind):
    """Trained on images."""

    may_leave_test = True

    def takes(self, card: Mapping[str, Any]) -> bool:
        """Image models of findings."""
        return card["inputs"] == "image" and card["predicts"] == "findings"

    def refusal(self, spec: Spec, given: Circumstances) -> str | None:
        """An image too small, a policy without meaning here, weights that are missing."""
        check_size(given.model_file, spec.resolution)
        check_policy(spec.imbalance, given.prepared.task)
        if spec.imbalance != "none" and not is_by_gradient(spec.scheme):
            return (
                f"imbalance {spec.imbalance!r} acts on training by gradient; scheme {spec.scheme} "
                "fits its head to the images as they are. Choose imbalance = none"
            )
        try:
            check_start(spec, given.model_file, given.weights)
        except MissingWeights:
            if WEIGHTS not in given.required:  # else the plan has what saves them anew
                raise
        return None


KIND = Classifier()
