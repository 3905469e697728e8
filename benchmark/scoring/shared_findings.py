"""Predictions under the common names of findings, to test a model on another data set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from benchmark.records.predictions import Predictions


def shared_logits(
    logits: np.ndarray, findings: Sequence[str], exclusive: bool, groups: Mapping[str, Sequence]
) -> np.ndarray:
    """Log-odds of common findings, each of them present where any of its group is.

    Args:
        logits: (N, F) of ``findings``.
        exclusive: whether exactly one of them holds, so that probabilities of a group add up; else
            the largest logit of a group speaks for it.
        groups: common name -> the findings that mean it, not all of exclusive ones.

    Returns:
        (N, G) float32.
    """
    wide = np.asarray(logits, np.float64)
    columns = []
    for names in groups.values():
        inside = np.isin(findings, names)
        value = wide[:, inside].max(axis=1)
        if exclusive:
            value = _log_sum(wide[:, inside]) - _log_sum(wide[:, ~inside])
        columns.append(value)
    return np.stack(columns, axis=1).astype(np.float32)


def shared_targets(
    targets: np.ndarray, findings: Sequence[str], groups: Mapping[str, Sequence]
) -> np.ndarray:
    """(N, G) targets: 1 where any of a group is 1, 0 where all are 0, else NaN, as unlabelled."""
    columns = []
    for names in groups.values():
        of_group = targets[:, np.isin(findings, names)]
        absent = np.where((of_group == 0).all(axis=1), 0.0, np.nan)
        columns.append(np.where((of_group == 1).any(axis=1), 1.0, absent))
    return np.stack(columns, axis=1)


def map_to_shared_findings(predictions: Predictions, groups: Mapping[str, Sequence]) -> Predictions:
    """The same predictions of common findings: independent ones, whatever they were before."""
    from benchmark.records.predictions import link

    findings, exclusive = predictions.findings, predictions.kind == "multiclass"
    kind = "binary" if len(groups) == 1 else "multilabel"
    logits = shared_logits(predictions.logits, findings, exclusive, groups)
    return replace(
        predictions,
        findings=tuple(groups),
        kind=kind,
        targets=shared_targets(predictions.targets, findings, groups),
        logits=logits,
        probabilities=link(logits, kind),
    )


def _log_sum(logits: np.ndarray) -> np.ndarray:
    return np.logaddexp.reduce(logits, axis=1)
