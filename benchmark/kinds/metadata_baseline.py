"""A model that sees no image: constant, or of age, sex and view."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmark.kinds.base import Circumstances, Kind
from benchmark.spec import Spec
from benchmark.training.imbalance import check_policy


class MetadataBaseline(Kind):
    """Fitted to what is known of the patients."""

    def takes(self, card: Mapping[str, Any]) -> bool:
        """Metadata models of findings; a file that cannot be read is taken for one."""
        return card["inputs"] == "metadata" and card["predicts"] == "findings"

    def refusal(self, spec: Spec, given: Circumstances) -> str | None:
        """A policy without meaning for the task; it has one where copies come before the split."""
        if spec.imbalance:
            check_policy(spec.imbalance, given.prepared.task)
        return None


KIND = MetadataBaseline()
