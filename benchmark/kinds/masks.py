"""A network, or a baseline, that says which pixels are lung."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmark.data.preprocessing import find as find_variant
from benchmark.kinds.base import Circumstances, Kind
from benchmark.models import check_size
from benchmark.spec import Spec

MEANINGFUL = {"imbalance": ("", "none"), "scheme": ("", "scratch")}
"""What these axes may say."""


class Masks(Kind):
    """Trained on images and masks."""

    predicts = "masks"

    def takes(self, card: Mapping[str, Any]) -> bool:
        """Models of masks, whatever they look at."""
        return card["predicts"] == "masks"

    def refusal(self, spec: Spec, given: Circumstances) -> str | None:
        """An image too small, or an axis without meaning."""
        check_size(given.model_file, spec.resolution)
        for axis, choices in MEANINGFUL.items():
            if (value := getattr(spec, axis)) not in choices:
                return f"{axis} {value} has no meaning for masks; use {choices[-1]}."
        if spec.preprocessing and find_variant(spec.preprocessing).needs_lungs:
            return f"preprocessing {spec.preprocessing} needs the very masks that are to be learnt."
        return None


KIND = Masks()
