"""How far an image is from normal ones, on the features of its member."""

from __future__ import annotations

from collections.abc import Mapping

from benchmark.kinds.base import Circumstances
from benchmark.kinds.ensemble import EnsembleKind, Way
from benchmark.protocols import find as find_protocol
from benchmark.protocols.screening import PATTERN
from benchmark.spec import Spec


class Anomaly(EnsembleKind):
    """Fits normal training images; trains nothing by gradient."""

    needs_weights = True

    def ways(self) -> Mapping[str, Way]:
        """One."""
        title = "Distance from normal images on the last feature map of {members}"
        description = "Distance from normal images on the one member's features."
        reference = "Defard et al. 2021, arXiv:2011.08785"
        return {self.name: Way((), (1, 1), title, description, reference)}

    def refusal(self, spec: Spec, given: Circumstances) -> str | None:
        """A protocol under which there is no class that was not trained on."""
        if find_protocol(spec.protocol).withheld is None:
            return (
                "an anomaly screen needs a class that it was not trained on; write the data set as "
                f"{spec.dataset}@{PATTERN}"
            )
        return super().refusal(spec, given)


KIND = Anomaly()
