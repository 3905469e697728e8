"""Intervals of the headline numbers, from the choice of patients.

Those of AUCs, shares and calibration come from influences (:mod:`benchmark.scoring.influence`) with
t of Satterthwaite's degrees of freedom; those of what hangs on a threshold chosen elsewhere, or on
the ranks at one end, from the bootstrap. How often they hold the truth: ``benchmarks/COVERAGE.md``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmark.records.predictions import SPLITS
from benchmark.records.scores import Interval
from benchmark.scoring import bootstrap, calibration, influence
from benchmark.scoring.gap import PAIRS, common
from benchmark.scoring.influence import Influence, bounded, mean_of_defined
from benchmark.scoring.intervals import mover, normal, percentile
from benchmark.scoring.part import Part

AUCS = tuple(f"{split}_auc" for split in SPLITS)
GAPS = tuple(f"gap_auc{'' if part == 'value' else f'_{part}'}" for part in PAIRS)
INTERVALS = (
    *AUCS, *GAPS, "test_f1", "test_f1_frozen", "gap_f1", "test_best_f1", "test_average_precision",
    "test_sensitivity", "test_specificity", "test_sensitivity_at_specificity_0.95", "test_brier",
    "test_calibration_slope", "test_calibration_intercept",
)  # fmt: skip
"""What has an interval, in scores and in leaderboards."""


@dataclass(frozen=True)
class Uncertainty:
    """What :class:`benchmark.records.scores.Scores` says of the same names."""

    intervals: dict[str, Interval | None]
    undefined_resamples: dict[str, int]


@dataclass(frozen=True)
class Measured:
    """Runs that differ only in their seed, on the same images.

    Attributes:
        runs: of each by split its decided images.
        macro: the findings that count, by number.
        supported: by split the findings with enough patients there.
        fixed: the findings whose threshold was not chosen on validation.
    """

    runs: Sequence[Mapping[str, Part]]
    macro: Sequence[int]
    supported: Mapping[str, Collection[int]]
    fixed: Collection[int]

    def parts(self, split: str) -> list[Part]:
        """Of each run; none where there is no such split, or nothing counts in it."""
        found = [run[split] for run in self.runs if split in run]
        return found if self.macro else []


def uncertainty(measured: Measured, *, resamples: int, seed_text: str) -> Uncertainty:
    """95 % intervals of the mean over runs of every quantity of :data:`INTERVALS`.

    Args:
        measured: the runs.
        resamples: of the patients of test and, independently, of validation.
        seed_text: what they are drawn from.
    """
    found: dict[str, Interval | None] = dict.fromkeys(INTERVALS)
    found |= {f"{split}_auc": _auc(measured, split, measured.macro)[1] for split in SPLITS}
    found |= {name: _gap(measured, *pair) for name, pair in zip(GAPS, PAIRS.values(), strict=True)}
    lost = 0
    if tests := measured.parts("test"):
        found |= _decisions(measured, tests)
        drawn = _resampled(measured, tests, resamples, seed_text)
        lost = int(np.isnan(drawn["average_precision"]).sum())
        found |= {f"test_{name}": percentile(values) for name, values in drawn.items()}
    if tests and tests[0].exclusive:
        found |= {"test_f1": found["test_f1_frozen"], "test_best_f1": None}
    return Uncertainty(found, {"test": lost} if lost else {})


def _resampled(
    measured: Measured, tests: list[Part], resamples: int, seed_text: str
) -> dict[str, np.ndarray]:
    validations: Sequence[Part | None] = measured.parts("validation") or [None] * len(tests)
    drawn = [
        bootstrap.replicates(
            test, None if test.exclusive else validation, measured.macro, measured.fixed,
            resamples=resamples, seed_text=seed_text,
        )
        for test, validation in zip(tests, validations, strict=True)
    ]  # fmt: skip
    return {name: np.mean([each[name] for each in drawn], axis=0) for name in drawn[0]}


def _auc(
    measured: Measured, split: str, findings: Sequence[int]
) -> tuple[float, Interval] | tuple[None, None]:
    """Mean AUC over findings and runs, with its interval on the logit scale."""
    parts = measured.parts(split)
    found = mean_of_defined([influence.macro_auc(part, findings) for part in parts])
    return (found.value, bounded(found, fewest(parts[0], findings))) if found else (None, None)


def _gap(measured: Measured, more: str, less: str) -> Interval | None:
    findings = common(measured.macro, measured.supported, more, less)
    (first, of_first), (second, of_second) = (
        _auc(measured, split, findings) for split in (more, less)
    )
    if first is None or second is None or of_first is None or of_second is None:
        return None
    return mover(first, of_first, second, of_second)


def _decisions(measured: Measured, tests: list[Part]) -> dict[str, Interval | None]:
    macro, patients = measured.macro, fewest(tests[0], measured.macro)
    shares = {
        "test_f1_frozen": influence.macro_f1,
        "test_sensitivity": influence.macro_sensitivity,
        "test_specificity": influence.macro_specificity,
    }
    found: dict[str, Interval | None] = {}
    for name, of in shares.items():
        share = mean_of_defined([of(test, macro) for test in tests])
        found[name] = bounded(share, patients) if share else None
    for name, number in _numbers(tests, macro).items():
        found[name] = normal(number.value, number.variance, number.degrees) if number else None
    return found | {"gap_f1": _f1_gap(measured, tests)}


def _numbers(tests: list[Part], macro: Sequence[int]) -> dict[str, Influence | None]:
    """What is not held between 0 and 1."""
    designs = {"slope": calibration.slope_design, "intercept": calibration.intercept_design}
    fitted = {
        f"test_calibration_{name}": [influence.macro_coefficient(of, t, macro) for t in tests]
        for name, of in designs.items()
    }
    brier = {"test_brier": [influence.macro_brier(test, macro) for test in tests]}
    return {name: mean_of_defined(each) for name, each in (brier | fitted).items()}


def _f1_gap(measured: Measured, tests: list[Part]) -> Interval | None:
    """Of the F1 of train minus that of test, at the threshold as it is."""
    findings = common(measured.macro, measured.supported, "train", "test")
    ends: list[tuple[float, Interval]] = []
    for parts in (measured.parts("train"), tests):
        share = mean_of_defined([influence.macro_f1(part, findings) for part in parts])
        if share is None:
            return None
        ends.append((share.value, bounded(share, fewest(parts[0], findings))))
    return mover(*ends[0], *ends[1])


def fewest(part: Part, findings: Sequence[int]) -> int:
    """Patients with, or without, one of the findings: the smallest such number."""
    supports = [part.support(i) for i in findings]
    return min(min(s.n_positive_patients, s.n_negative_patients) for s in supports)
