"""The gap, train minus test, in its two parts: overfitting, and what differs between images."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np
from msgspec import structs

from benchmark.records.scores import Gap, SplitScores
from benchmark.scoring.metrics import METRICS, mean_of_defined
from benchmark.scoring.part import Part

GAPS = ("auc", "f1", "log_loss")
PAIRS = {
    "value": ("train", "test"),
    "train_minus_validation": ("train", "validation"),
    "validation_minus_test": ("validation", "test"),
}
"""The gap and its two parts: of which split which other one is subtracted."""


def common(
    macro: Sequence[int], supported: Mapping[str, Collection[int]], more: str, less: str
) -> list[int]:
    """The findings that a gap between two splits runs over: those with enough patients in both."""
    return [i for i in macro if all(i in supported.get(split, ()) for split in (more, less))]


def gaps(
    splits: Mapping[str, SplitScores],
    parts: Mapping[str, Part],
    macro: Sequence[int],
    supported: Mapping[str, Collection[int]],
) -> dict[str, Gap]:
    """Metric -> the gap and its parts, None where a split is missing or no finding is in both.

    Args:
        splits: split -> its scores.
        parts: split -> its decided images.
        macro: the findings that count, by number.
        supported: by split the findings with enough patients there.
    """
    found = {}
    for metric in GAPS:
        values = {
            name: _difference(metric, splits, common(macro, supported, *pair), *pair)
            for name, pair in PAIRS.items()
        }
        found[metric] = Gap(**values)
    constant = _constant_gap(parts, common(macro, supported, *PAIRS["value"]))
    return found | {"f1": structs.replace(found["f1"], constant=constant)}


def _difference(
    metric: str, splits: Mapping[str, SplitScores], findings: list[int], more: str, less: str
) -> float | None:
    if not findings or not {more, less} <= splits.keys():
        return None
    values = [_mean(metric, splits[split], findings) for split in (more, less)]
    return None if None in values else values[0] - values[1]  # type: ignore[operator]  # not None


def _mean(metric: str, scores: SplitScores, findings: list[int]) -> float | None:
    exclusive = isinstance(scores.confusion, list)
    if metric == "log_loss" and exclusive:  # of all findings at once
        return scores.metrics[metric]
    every = list(scores.per_finding.values())
    values = [every[i].metrics[metric] for i in findings]
    return mean_of_defined([np.nan if value is None else value for value in values])


def _constant_gap(parts: Mapping[str, Part], findings: list[int]) -> float | None:
    """Gap in macro F1 of calling every image positive; of exclusive findings, the commonest."""
    if not findings or "train" not in parts:
        return None
    train = parts["train"]
    called = np.ones(train.targets.shape[1], bool)
    if train.exclusive:
        called = np.arange(len(called)) == np.nansum(train.targets, axis=0).argmax()
    values = []
    for split in PAIRS["value"]:
        part = parts[split]
        constant = replace(part, decisions=np.broadcast_to(called, part.targets.shape))
        f1s = [METRICS["f1"].function(constant.sample(i)) for i in findings]
        values.append(mean_of_defined(f1s))
    return None if None in values else values[0] - values[1]  # type: ignore[operator]  # not None
