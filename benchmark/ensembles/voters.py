"""What a rule is given of each member of a vote."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from benchmark.records.predictions import Predictions
from benchmark.scoring.thresholds import argmax_decisions


@dataclass(frozen=True)
class Voter:
    """A member of a vote.

    Attributes:
        predictions: of every split.
        weight: that the suite gives it; 1 where it says nothing.
        thresholds: gives by finding its own, which maximise F1 on validation.
    """

    predictions: Predictions
    weight: float
    thresholds: Callable[[], Mapping[str, float]]

    @cached_property
    def decisions(self) -> np.ndarray:
        """What it decides by itself, (N, F) bool: argmax, or by its thresholds."""
        if self.predictions.kind == "multiclass":
            return argmax_decisions(self.predictions.probabilities)
        thresholds = self.thresholds()
        return self.predictions.probabilities >= [thresholds[f] for f in self.predictions.findings]
