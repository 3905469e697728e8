"""One split of a prediction file as arrays that metrics and resamples are computed from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from benchmark.scoring import multiclass
from benchmark.scoring.metrics import Sample
from benchmark.scoring.protocol import Support
from benchmark.scoring.thresholds import argmax_decisions

if TYPE_CHECKING:
    from benchmark.records.predictions import Predictions


@dataclass(frozen=True)
class Part:
    """One split: (N, F) arrays, targets NaN where unlabelled; (N,) patients, numbered by id.

    ``decisions`` are empty until they are made.
    """

    targets: np.ndarray
    log_odds: np.ndarray
    probabilities: np.ndarray
    patients: np.ndarray
    exclusive: bool
    decisions: np.ndarray = field(default_factory=lambda: np.empty((0, 0), bool))

    @classmethod
    def of(cls, predictions: Predictions) -> Part:
        """The images of one split, not decided yet."""
        exclusive = predictions.kind == "multiclass"
        targets = np.array(predictions.targets, float)
        if exclusive:  # an image is labelled for all of them or for none
            targets[np.isnan(targets).any(axis=1)] = np.nan
        logits = np.asarray(predictions.logits, float)
        odds = multiclass.log_odds(logits) if exclusive else logits
        probabilities = np.asarray(predictions.probabilities, float)
        patients = np.unique(predictions.patient_id, return_inverse=True)[1]
        return cls(targets, odds, probabilities, patients, exclusive)

    @classmethod
    def scored(cls, predictions: Predictions, thresholds: Mapping[str, float]) -> Part:
        """The same, decided by the thresholds of its scores; exclusive findings have none."""
        return cls.of(predictions).decided([thresholds.get(f, 1) for f in predictions.findings])

    def decided(self, thresholds: Sequence[float]) -> Part:
        """The same with decisions: argmax where findings are exclusive, else >= threshold."""
        if self.exclusive:
            return replace(self, decisions=argmax_decisions(self.probabilities))
        return replace(self, decisions=self.probabilities >= np.array(thresholds))

    def sample(self, finding: int) -> Sample:
        """The labelled images of one finding."""
        labelled = ~np.isnan(self.targets[:, finding])
        arrays = (self.targets == 1, self.log_odds, self.probabilities, self.decisions)
        return Sample(*(array[labelled, finding] for array in arrays))

    def support(self, finding: int) -> Support:
        """How many labelled images and patients one finding has."""
        return Support.of(self.targets[:, finding], self.patients)
