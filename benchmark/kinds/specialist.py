"""A second model for the findings that its member confuses most."""

from __future__ import annotations

from collections.abc import Mapping

from benchmark.kinds.base import Circumstances
from benchmark.kinds.ensemble import EnsembleKind, Way, declared
from benchmark.spec import Spec
from benchmark.training.schemes import is_by_gradient


class Specialist(EnsembleKind):
    """Trains a network of its own, which takes over where the first calls such a finding."""

    def ways(self) -> Mapping[str, Way]:
        """One."""
        title = "{members}, then {second} on the {k} findings most confused on validation"
        description = (
            "A second model (`second`), trained on the `k` exclusive findings that the one member "
            "confuses most on validation; it takes over where the first predicts one of these."
        )
        options, reference = ("k", "recipe", "second"), "wished for by source system S2"
        return {self.name: Way(options, (1, 1), title, description, reference)}

    def sees_images(self, spec: Spec) -> bool:
        """It trains on them."""
        return True

    def refusal(self, spec: Spec, given: Circumstances) -> str | None:
        """A task that is not of exclusive findings, or too few of them."""
        task, k = given.prepared.task, declared(spec).best
        if any(not required.spec.resolution for required in given.required.values()):
            return "its member sees no image, so it has no second stage"
        if not task.exclusive:
            return f"a specialist is for exclusive findings; this is a {task.kind} task"
        if not is_by_gradient(spec.scheme):
            return f"a specialist is trained by gradient; scheme {spec.scheme} is not"
        if k >= task.n_outputs:
            return (
                f"a specialist for {k} of {task.n_outputs} findings leaves nothing to the first "
                "model; choose a smaller k"
            )
        return None


KIND = Specialist()
