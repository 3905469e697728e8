"""The overfitting gap: train minus test, in its two parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from benchmark.records.scores import Gap, SplitScores
from benchmark.scoring.metrics import METRICS, mean_of_defined
from benchmark.scoring.part import Part

GAPS = ("auc", "f1", "log_loss")
_PARTS = {
    "value": ("train", "test"),
    "train_minus_validation": ("train", "validation"),
    "validation_minus_test": ("validation", "test"),
}


def gaps(
    splits: Mapping[str, SplitScores], parts: Mapping[str, Part], macro: list[int]
) -> dict[str, Gap]:
    """Metric -> the gap and its parts, None where a split is missing.

    Args:
        splits: split -> its scores.
        parts: split -> its decided images.
        macro: the findings that count, by number.
    """
    constant = {"f1": _differences(_constant_f1(parts, macro))["value"]}
    found = {}
    for metric in GAPS:
        values = {split: scores.metrics[metric] for split, scores in splits.items()}
        found[metric] = Gap(**_differences(values), constant=constant.get(metric))
    return found


def _differences(values: Mapping[str, float | None]) -> dict[str, float | None]:
    pairs = {name: [values.get(split) for split in pair] for name, pair in _PARTS.items()}
    return {
        name: None if more is None or less is None else more - less
        for name, (more, less) in pairs.items()
    }


def _constant_f1(parts: Mapping[str, Part], macro: list[int]) -> dict[str, float | None]:
    """Macro F1 by split of a model that says the same about every image."""
    if "train" not in parts:
        return {}
    train = parts["train"]
    called = np.ones(train.targets.shape[1], bool)
    if train.exclusive:
        called = np.arange(len(called)) == np.nansum(train.targets, axis=0).argmax()
    values = {}
    for split, part in parts.items():
        constant = replace(part, decisions=np.broadcast_to(called, part.targets.shape))
        values[split] = mean_of_defined([METRICS["f1"].function(constant.sample(i)) for i in macro])
    return values
