"""Intervals of the headline numbers from the bootstrap over patients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmark.records.scores import Interval
from benchmark.scoring import bootstrap
from benchmark.scoring.intervals import logit_of_replicates, percentile
from benchmark.scoring.part import Part
from benchmark.scoring.replicates import encode

INTERVALS = ("test_auc", "test_f1", "gap_auc", "gap_f1")
"""What has an interval, in scores and in leaderboards."""
_RESAMPLED = ("train", "test")


@dataclass(frozen=True)
class Uncertainty:
    """What :class:`benchmark.records.scores.Scores` says of the same names."""

    intervals: dict[str, Interval | None]
    replicates: dict[str, str]
    undefined_resamples: dict[str, int]


def uncertainty(
    parts: Mapping[str, Part],
    macro: list[int],
    test_auc: float | None,
    *,
    resamples: int,
    seed_text: str,
) -> Uncertainty:
    """The ``intervals``, ``replicates`` and ``undefined_resamples`` of scores.

    Args:
        parts: split -> its decided images.
        macro: the findings that count, by number.
        test_auc: macro AUC on test.
        resamples: of the patients of train and, independently, of test.
        seed_text: what they are drawn from.
    """
    drawn = {
        split: bootstrap.resample(
            part.targets[:, macro], part.log_odds[:, macro], part.decisions[:, macro],
            part.patients, resamples=resamples, seed_text=seed_text, stream=split,
        )
        for split, part in parts.items() if split in _RESAMPLED and macro
    }  # fmt: skip
    replicates = {
        f"{split}_{metric}": getattr(drawn[split], metric) if split in drawn else np.empty(0)
        for split in _RESAMPLED
        for metric in ("auc", "f1")
    }
    by_run = {name: [values] for name, values in replicates.items()}
    return Uncertainty(
        intervals={name: interval(name, test_auc, by_run) for name in INTERVALS},
        replicates={name: encode(values) for name, values in replicates.items()},
        undefined_resamples={s: int(np.isnan(r.auc).sum()) for s, r in drawn.items()},
    )


def interval(
    name: str, value: float | None, replicates: Mapping[str, Sequence[np.ndarray]]
) -> Interval | None:
    """95 % interval of the mean of a quantity over runs on the same patients.

    That of an AUC is made on the logit scale, because percentile intervals of a high AUC with few
    positive patients are too short (``benchmarks/COVERAGE.md``). That of a gap draws the patients
    of train and of test independently of each other, once for all runs.

    Args:
        name: one of `INTERVALS`.
        value: the mean; used for ``test_auc`` only.
        replicates: ``<split>_<metric>`` -> for each run its (R,) replicates, empty without any.
    """
    kind, _, metric = name.partition("_")
    test = np.mean(replicates[f"test_{metric}"], axis=0)
    if kind == "gap":
        train = np.mean(replicates[f"train_{metric}"], axis=0)
        return percentile(train - test) if len(train) == len(test) else None
    return logit_of_replicates(value, test) if metric == "auc" else percentile(test)
