"""Intervals of the mean over the seeds of a configuration, on the images that they share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from benchmark.records.one_model import first_alike
from benchmark.records.scores import ConfigurationIntervals, Scores
from benchmark.scoring.bootstrap import RESAMPLES
from benchmark.scoring.part import Part
from benchmark.scoring.subgroups import largest_gap
from benchmark.scoring.uncertainty import INTERVALS, Measured, uncertainty

if TYPE_CHECKING:
    from benchmark.records.predictions import Predictions


def of_one(scores: Scores) -> ConfigurationIntervals:
    """Those of a single seed, which its scores have."""
    return ConfigurationIntervals(
        scorer_version=scores.scorer_version,
        predictions_sha256=[scores.predictions_sha256],
        seed_text=scores.seed_text,
        intervals=scores.intervals,
        undefined_resamples=scores.undefined_resamples,
        subgroup_gap=scores.subgroup_gap,
    )


def of_all(predictions: Sequence[Predictions], scores: Sequence[Scores]) -> ConfigurationIntervals:
    """Those of the mean over seeds.

    Args:
        predictions: of each seed; which findings count, and of which a threshold was chosen, the
            images alone decide, so that it is the same for all.
        scores: of each.

    Returns:
        Intervals that are all None where the seeds are of different images.
    """
    first, names = scores[0], list(predictions[0].findings)
    if not _same_images(predictions):
        return _unknown(scores)
    runs = [
        {split: Part.scored(each.part(split), known.thresholds) for split in known.splits}
        for each, known in zip(predictions, scores, strict=True)
    ]
    supported = {s: [names.index(name) for name in of] for s, of in first.supported.items()}
    macro, fixed = (
        [names.index(name) for name in of] for of in (first.macro_findings, first.fixed_thresholds)
    )
    found = uncertainty(
        Measured(runs, macro, supported, fixed), resamples=RESAMPLES, seed_text=first.seed_text
    )
    tests = [_by_image(each.part("test")) for each in predictions if "test" in first.splits]
    return ConfigurationIntervals(
        scorer_version=first.scorer_version,
        predictions_sha256=[each.predictions_sha256 for each in scores],
        seed_text=first.seed_text,
        intervals=found.intervals,
        undefined_resamples=found.undefined_resamples,
        subgroup_gap=largest_gap(tests, first.macro_findings) if tests else None,
        alike=first_alike(tests),
    )


def _same_images(predictions: Sequence[Predictions]) -> bool:
    def images(of: Predictions) -> list[tuple[str, ...]]:
        columns = (of.split, of.image_id, of.patient_id)
        return sorted(zip(*(column.astype(str).tolist() for column in columns), strict=True))

    first = images(predictions[0])
    return all(images(each) == first for each in predictions[1:])


def _unknown(scores: Sequence[Scores]) -> ConfigurationIntervals:
    return ConfigurationIntervals(
        scorer_version=scores[0].scorer_version,
        predictions_sha256=[each.predictions_sha256 for each in scores],
        seed_text=scores[0].seed_text,
        intervals=dict.fromkeys(INTERVALS),
        undefined_resamples={},
    )


def _by_image(test: Predictions) -> Predictions:
    order = np.argsort(test.image_id)
    arrays = {k: v[order] for k, v in vars(test).items() if isinstance(v, np.ndarray)}
    return replace(test, **arrays)  # type: ignore[arg-type]  # each of its own type
