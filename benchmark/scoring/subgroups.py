"""How a configuration does on parts of the test patients: by sex, by age, by view.

Differences between such parts are what an average hides. Nothing here says why they differ: the
parts differ in disease, in prevalence and in how the films were made, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchmark.scoring import bootstrap
from benchmark.scoring.intervals import percentile
from benchmark.scoring.metrics import METRICS, Sample
from benchmark.scoring.part import Part
from benchmark.scoring.protocol import MINIMUM_PATIENTS, Support

if TYPE_CHECKING:
    from benchmark.records.predictions import Predictions

OLDEST = 120
"""Years; what is above is a slip of the pen: ChestX-ray14 has ages of over 400."""
AGE_BANDS = {"0-19": (0, 20), "20-39": (20, 40), "40-59": (40, 60), "60-79": (60, 80),
             "80 and over": (80, OLDEST + 1)}  # fmt: skip
NORMAL = ("normal", "no finding", "healthy")
"""Exclusive findings of this name, in any case, are the absence of one."""
RESAMPLES = 1000


@dataclass(frozen=True)
class Estimate:
    """A value, mean over the runs, with its 95 % interval from the bootstrap over patients.

    Attributes:
        n, n_positive: images it rests on, and the positive ones among them.
        value, low, high: in [0, 1]; None where fewer than 10 patients are positive, or, for an
            AUC, negative. 0 and 1 have no interval: resampling what is all alike shows none.
    """

    n: int
    n_positive: int
    value: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Subgroup:
    """The test images of one level of an axis.

    Attributes:
        axis, level: ``sex``, ``age`` or ``view``, and which.
        patients: how many they come from; a patient may stand in several.
        findings: those that the AUC is the mean of, the same at every level, so that levels can
            be compared: of the protocol's those with 10 positive and 10 negative patients at each
            level, where a level that has this for less than half of them does not count and gets
            no AUC.
        auc: macro AUC over ``findings``; ``n_positive`` counts images with any of them.
        underdiagnosis: of the images with a finding, any of them, the share on which the model
            calls none: ill people called normal (Seyyed-Kalantari et al. 2021,
            doi:10.1038/s41591-021-01595-0).
        finding_auc: finding -> its AUC at this level.
    """

    axis: str
    level: str
    patients: int
    findings: tuple[str, ...]
    auc: Estimate
    underdiagnosis: Estimate
    finding_auc: dict[str, Estimate]


def subgroups(
    runs: Sequence[Predictions],
    thresholds: Sequence[Mapping[str, float]],
    findings: Sequence[str],
    *,
    seed_text: str,
    resamples: int = RESAMPLES,
) -> list[Subgroup]:
    """Subgroups by sex, age band and view of the test images; none where the set tells nothing.

    Args:
        runs: test predictions of each seed, of the same images in the same order.
        thresholds: for each run finding -> the frozen threshold; empty for exclusive findings,
            of which the most probable one is called.
        findings: the protocol's findings that enter a mean.
        seed_text: what the resamples are drawn from.
        resamples: number of resamples.
    """
    test = _Test.of(runs, thresholds, seed_text, resamples)
    return [group for axis in ("sex", "age", "view") for group in _axis(test, axis, findings)]


def level_of(predictions: Predictions, axis: str) -> np.ndarray:
    """(N,) text: the level of each image on an axis, empty where it is not known."""
    return age_bands(predictions.age) if axis == "age" else getattr(predictions, axis)


def age_bands(ages: np.ndarray) -> np.ndarray:
    """(N,) text: the band of each age in years, empty where it is not known or cannot be."""
    bands = np.full(len(ages), "", dtype="U11")
    for name, (low, high) in AGE_BANDS.items():
        bands[(ages >= low) & (ages < high)] = name
    return bands


@dataclass(frozen=True)
class _Test:
    """The test split: (N, F) targets; (S, N, F) log-odds and decisions of the runs."""

    shared: Predictions
    targets: np.ndarray
    log_odds: np.ndarray
    decisions: np.ndarray
    seed_text: str
    resamples: int

    @classmethod
    def of(
        cls,
        runs: Sequence[Predictions],
        thresholds: Sequence[Mapping[str, float]],
        seed_text: str,
        resamples: int,
    ) -> _Test:
        parts = [Part.scored(*of_run) for of_run in zip(runs, thresholds, strict=True)]
        odds, decisions = [p.log_odds for p in parts], [p.decisions for p in parts]
        targets = np.array(runs[0].targets)
        return cls(runs[0], targets, np.array(odds), np.array(decisions), seed_text, resamples)

    def auc(self, here: np.ndarray, columns: list[int]) -> Estimate:
        """Mean AUC over some findings of the images ``here``, (N,) bool."""
        n, positive = self.count(here, columns)
        if self.supported(here, columns) != columns:
            return Estimate(n, positive)
        targets = self.targets[here][:, columns]
        values, drawn = [], []
        for odds, decisions in zip(self.log_odds, self.decisions, strict=True):
            odds, decisions = odds[here][:, columns], decisions[here][:, columns]
            values.append(np.mean([_auc(t, o) for t, o in zip(targets.T, odds.T, strict=True)]))
            drawn.append(
                bootstrap.resample(
                    targets, odds, decisions, self.shared.patient_id[here],
                    resamples=self.resamples, seed_text=self.seed_text, stream="test",
                ).auc
            )  # fmt: skip
        return _estimate(n, positive, float(np.mean(values)), np.mean(drawn, axis=0))

    def count(self, here: np.ndarray, columns: list[int]) -> tuple[int, int]:
        """Images labelled for any of the findings, and positive for any."""
        targets = self.targets[here][:, columns]
        labelled = (~np.isnan(targets)).any(axis=1)
        return int(labelled.sum()), int((targets == 1).any(axis=1).sum())

    def underdiagnosis(self, here: np.ndarray) -> Estimate:
        """Share of the images ``here`` with a finding on which the model calls none."""
        real = [i for i, f in enumerate(self.shared.findings) if f.lower() not in NORMAL]
        ill = here & (self.targets[:, real] == 1).any(axis=1)
        n, positive = int(here.sum()), int(ill.sum())
        ids, codes = np.unique(self.shared.patient_id[ill], return_inverse=True)
        if len(ids) < MINIMUM_PATIENTS:
            return Estimate(n, positive)
        missed = ~self.decisions[:, ill][:, :, real].any(axis=2)
        of_patient = np.bincount(codes, weights=missed.mean(axis=0))
        weights = np.hstack(
            list(bootstrap.multiplicities(len(ids), self.resamples, self.seed_text, "test"))
        )
        drawn = (of_patient @ weights) / (np.bincount(codes) @ weights)
        return _estimate(n, positive, float(missed.mean()), drawn)

    def supported(self, here: np.ndarray, columns: list[int]) -> list[int]:
        """The findings that ten patients have, and ten have not, on the images ``here``."""
        patients = self.shared.patient_id[here]
        supports = {c: Support.of(self.targets[here, c], patients) for c in columns}
        return [
            c
            for c, support in supports.items()
            if min(support.n_positive_patients, support.n_negative_patients) >= MINIMUM_PATIENTS
        ]


def _axis(test: _Test, axis: str, findings: Sequence[str]) -> Iterator[Subgroup]:
    levels = level_of(test.shared, axis)
    names = [name for name in (AGE_BANDS if axis == "age" else np.unique(levels)) if name]
    groups = {str(name): levels == name for name in names if (levels == name).any()}
    every = list(test.shared.findings)
    columns = [every.index(finding) for finding in findings]
    supported = [test.supported(here, columns) for here in groups.values()]
    counting = [
        of_level for of_level in supported if of_level and 2 * len(of_level) >= len(columns)
    ]
    common = [c for c in columns if counting and all(c in of_level for of_level in counting)]
    for name, here in groups.items():
        yield Subgroup(
            axis,
            name,
            len(np.unique(test.shared.patient_id[here])),
            tuple(every[c] for c in common),
            test.auc(here, common) if common else Estimate(*test.count(here, columns)),
            test.underdiagnosis(here),
            {every[c]: test.auc(here, [c]) for c in columns},
        )


def _estimate(n: int, positive: int, value: float, drawn: np.ndarray) -> Estimate:
    interval = percentile(drawn) if 0 < value < 1 else None
    return Estimate(n, positive, value, *(interval or ()))


def _auc(targets: np.ndarray, odds: np.ndarray) -> float:
    known = ~np.isnan(targets)
    positive, odds = targets[known] == 1, np.asarray(odds[known], float)
    return METRICS["auc"].function(Sample(positive, odds, odds, positive))
