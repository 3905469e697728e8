"""AUC on the test patients whose id stands in no other split.

Where ids of a set may or may not mean the same person in two splits, what all test images give is
flattered if they do. What these patients give is not; they may differ in other ways, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from benchmark.records.scores import Interval
from benchmark.scoring.influence import bounded, macro_auc, mean_of_defined
from benchmark.scoring.part import Part
from benchmark.scoring.protocol import shortfall

if TYPE_CHECKING:
    from benchmark.records.predictions import Predictions


@dataclass(frozen=True)
class Unshared:
    """Test patients of which no other split has the id.

    Attributes:
        images, patients: of them.
        shared: the other test patients.
        positives: their positive images of each finding that counts, whose share may be another.
        auc: macro AUC on their images, mean over the runs; None where they are too few.
        interval: of 95 %, over patients.
    """

    images: int
    patients: int
    shared: int
    positives: tuple[int, ...]
    auc: float | None = None
    interval: Interval | None = None


def unshared_patients(runs: Sequence[Predictions], findings: Sequence[str]) -> Unshared | None:
    """How runs do on them; None where test shares no id with another split.

    Args:
        runs: whole prediction files of the seeds of a configuration, of the same images.
        findings: those that count.
    """
    tests = [run.part("test") for run in runs]
    ids = tests[0].patient_id
    elsewhere = runs[0].patient_id[runs[0].split != "test"]
    here = ~np.isin(ids, elsewhere)
    if here.all():
        return None
    parts = [_only(Part.of(test), ~np.isin(test.patient_id, elsewhere)) for test in tests]
    columns = [runs[0].findings.index(finding) for finding in findings]
    supports = [parts[0].support(i) for i in columns]
    told = Unshared(
        int(here.sum()),
        len(np.unique(ids[here])),
        len(np.unique(ids[~here])),
        tuple(support.n_positive for support in supports),
    )
    found = mean_of_defined([macro_auc(part, columns) for part in parts])
    if found is None or any(shortfall({"test": support}) for support in supports):
        return told
    fewest = min(min(s.n_positive_patients, s.n_negative_patients) for s in supports)
    return replace(told, auc=found.value, interval=bounded(found, fewest))


def _only(part: Part, here: np.ndarray) -> Part:
    return replace(part, targets=np.where(here[:, None], part.targets, np.nan))
