"""A model that sees no image: constant, of age, sex and view, or of the original file's shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmark.data.shapes import obstacle
from benchmark.kinds.base import Circumstances, Kind
from benchmark.spec import Spec
from benchmark.training.imbalance import check_policy


class MetadataBaseline(Kind):
    """Fitted to what is known of the patients, or of the files."""

    may_leave_test = True

    def takes(self, card: Mapping[str, Any]) -> bool:
        """Models of findings without images; a file that cannot be read is taken for one."""
        return card["inputs"] != "image" and card["predicts"] == "findings"

    def refusal(self, spec: Spec, given: Circumstances) -> str | None:
        """Shapes that are not known or do not differ; a policy without meaning for the task.

        It has one where copies come before the split.
        """
        if spec.imbalance:
            check_policy(spec.imbalance, given.prepared.task)
        if given.model_file.card["inputs"] != "shape":
            return None
        if why := obstacle(given.prepared.name, given.prepared.shapes):
            return f"model {spec.model} sees the shape of the original files, and {why}"
        return None


KIND = MetadataBaseline()
