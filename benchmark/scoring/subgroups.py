"""How a configuration does on parts of the test patients: by sex, by age, by view.

Differences between such parts are what an average hides. Nothing here says why they differ: the
parts differ in disease, in prevalence and in how the films were made, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from benchmark.records.scores import SubgroupGap
from benchmark.scoring.influence import Influence, auc, bounded, mean_of, mean_of_defined, share
from benchmark.scoring.intervals import LEVEL, normal
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
AXES = ("sex", "age", "view")


@dataclass(frozen=True)
class Estimate:
    """A value, mean over the runs, with its 95 % interval from the choice of patients.

    Attributes:
        n, n_positive: images it rests on, and the positive ones among them.
        value, low, high: in [0, 1]; None where fewer than 10 patients are positive, or, for an
            AUC, negative.
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
) -> list[Subgroup]:
    """Subgroups by sex, age band and view of the test images; none where the set tells nothing.

    Args:
        runs: test predictions of each seed, of the same images in the same order.
        thresholds: for each run finding -> the frozen threshold; empty for exclusive findings,
            of which the most probable one is called.
        findings: the protocol's findings that enter a mean.
    """
    parts = [Part.scored(*of_run) for of_run in zip(runs, thresholds, strict=True)]
    test = _Test(runs[0], parts)
    return [group for axis in AXES for group in _axis(test, axis, findings)]


def largest_gap(runs: Sequence[Predictions], findings: Sequence[str]) -> SubgroupGap | None:
    """The largest difference in mean AUC between two levels of one axis; None without two.

    Arguments as in `subgroups`. Its interval is Bonferroni's over all pairs of levels, because the
    largest of them was looked for.
    """
    if not findings or not any(level_of(runs[0], axis).any() for axis in AXES):
        return None
    test = _Test(runs[0], [Part.of(run) for run in runs])
    pairs = [
        (axis, *pair)
        for axis in AXES
        for pair in combinations(_levels(test, axis, findings).items(), 2)
    ]
    if not pairs:
        return None
    axis, (first, a), (second, b) = max(pairs, key=lambda p: abs(p[1][1].value - p[2][1].value))
    better, worse = (first, second) if a.value >= b.value else (second, first)
    gap = a - b if a.value >= b.value else b - a
    level = 1 - (1 - LEVEL) / len(pairs)
    interval = normal(gap.value, gap.variance, gap.degrees, level)
    return SubgroupGap(axis=axis, better=better, worse=worse, value=gap.value, interval=interval)


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
    """The test split: what is shared by the runs, and each run's part of it."""

    shared: Predictions
    parts: list[Part]

    @property
    def targets(self) -> np.ndarray:
        """(N, F), NaN where unlabelled."""
        return self.parts[0].targets

    def mean_auc(self, here: np.ndarray, columns: list[int]) -> Influence | None:
        """Mean over runs and findings of the AUC of the images ``here``, (N,) bool."""
        targets = np.where(here[:, None], self.targets, np.nan)
        return mean_of_defined(
            [
                auc(targets[:, c], part.log_odds[:, c], part.patients)
                for part in self.parts
                for c in columns
            ]
        )

    def auc(self, here: np.ndarray, columns: list[int]) -> Estimate:
        """The same as an estimate."""
        n, positive = self.count(here, columns)
        found = self.mean_auc(here, columns) if self.supported(here, columns) == columns else None
        if found is None:
            return Estimate(n, positive)
        fewest = min(min(self._patients(here, c)) for c in columns)
        return Estimate(n, positive, found.value, *bounded(found, fewest))

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
        patients = self.parts[0].patients
        if (ill_patients := len(np.unique(patients[ill]))) < MINIMUM_PATIENTS:
            return Estimate(n, positive)
        missed = mean_of(
            [
                each
                for part in self.parts
                if (each := share(ill * ~part.decisions[:, real].any(axis=1), 1.0 * ill, patients))
            ]
        )
        return Estimate(n, positive, missed.value, *bounded(missed, ill_patients))

    def supported(self, here: np.ndarray, columns: list[int]) -> list[int]:
        """The findings that ten patients have, and ten have not, on the images ``here``."""
        return [c for c in columns if min(self._patients(here, c)) >= MINIMUM_PATIENTS]

    def _patients(self, here: np.ndarray, column: int) -> tuple[int, int]:
        support = Support.of(self.targets[here, column], self.parts[0].patients[here])
        return support.n_positive_patients, support.n_negative_patients


def _axis(test: _Test, axis: str, findings: Sequence[str]) -> Iterator[Subgroup]:
    every, groups = list(test.shared.findings), _images(test, axis)
    columns = [every.index(finding) for finding in findings]
    common = _common(test, groups, columns)
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


def _levels(test: _Test, axis: str, findings: Sequence[str]) -> dict[str, Influence]:
    """Level -> its mean AUC over the findings that all levels that count have."""
    groups = _images(test, axis)
    common = _common(test, groups, [list(test.shared.findings).index(f) for f in findings])
    found = {
        name: test.mean_auc(here, common)
        for name, here in groups.items()
        if common and test.supported(here, common) == common
    }
    return {name: each for name, each in found.items() if each}


def _images(test: _Test, axis: str) -> dict[str, np.ndarray]:
    """Level -> which images are of it, (N,) bool."""
    levels = level_of(test.shared, axis)
    names = [str(name) for name in (AGE_BANDS if axis == "age" else np.unique(levels)) if name]
    return {name: levels == name for name in names if (levels == name).any()}


def _common(test: _Test, groups: Mapping[str, np.ndarray], columns: list[int]) -> list[int]:
    """The findings that every level has enough patients of, but for levels that lack most."""
    supported = [test.supported(here, columns) for here in groups.values()]
    counting = [
        of_level for of_level in supported if of_level and 2 * len(of_level) >= len(columns)
    ]
    return [c for c in columns if counting and all(c in of_level for of_level in counting)]
