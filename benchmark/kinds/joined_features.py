"""A head on the joined features of its best members, which stay as they are."""

from __future__ import annotations

from collections.abc import Mapping

from benchmark.kinds.ensemble import EnsembleKind, Way


class JoinedFeatures(EnsembleKind):
    """Trains the head alone."""

    needs_weights = True

    def ways(self) -> Mapping[str, Way]:
        """One."""
        title = "Head on the joined features of the best {k} by validation of {members}"
        description = (
            "A dense layer on the features of the best `k` members, which stay as they are."
        )
        reference = "Wolpert 1992, doi:10.1016/S0893-6080(05)80023-1"
        return {self.name: Way(("k", "recipe"), (2, None), title, description, reference)}


KIND = JoinedFeatures()
