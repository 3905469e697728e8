"""What the runs of a configuration said about the test images."""

from __future__ import annotations

from functools import reduce

import numpy as np

from benchmark.records.predictions import Predictions
from benchmark.records.store import Results
from benchmark.report.drawing.curve_panels import FindingCurves
from benchmark.report.drawing.marks import mark_of
from benchmark.report.gathering.configuration import Configuration, mean
from benchmark.scoring import curves
from benchmark.scoring.part import Part
from benchmark.scoring.protocol import MINIMUM_PATIENTS, Support
from benchmark.scoring.stored import predictions_of
from benchmark.scoring.subgroups import Subgroup, subgroups


def read_test_runs(results: Results, configuration: Configuration) -> list[Predictions]:
    """Test predictions of each run: the images that all runs predicted, in the same order."""
    parts = []
    for run in configuration.runs:
        parts.append(predictions_of(results, run.row).part("test"))
    shared = reduce(np.intersect1d, [part.image_id for part in parts])
    return [_rows(part, shared) for part in parts]


def finding_curves(configuration: Configuration, runs: list[Predictions]) -> list[FindingCurves]:
    """The curves of every finding that enough test patients have and have not; see `Support`.

    None of what states the same of every image.
    """
    if not runs or not any(np.ptp(run.logits, axis=0).any() for run in runs):
        return []
    columns = range(len(runs[0].findings))
    return [_curves(configuration, runs, c) for c in columns if _supported(runs[0], c)]


def confusion(configuration: Configuration) -> dict[str, np.ndarray] | np.ndarray:
    """Images of each run by truth and decision on the test split.

    Returns:
        finding -> (S, 2, 2), or for exclusive findings one (S, F, F); rows are the truth.
    """
    found = [run.scores.splits["test"].confusion for run in configuration.runs]
    by_finding = [each for each in found if isinstance(each, dict)]
    if not by_finding:
        return np.array(found)
    findings = configuration.runs[0].scores.findings  # JSON keeps no order of keys
    return {f: np.array([each[f] for each in by_finding]).reshape(-1, 2, 2) for f in findings}


def subgroups_of(configuration: Configuration, runs: list[Predictions]) -> list[Subgroup]:
    """Subgroups of the test images, see :mod:`benchmark.scoring.subgroups`."""
    scores = [run.scores for run in configuration.runs]
    thresholds = [each.thresholds for each in scores]
    return subgroups(runs, thresholds, scores[0].macro_findings)


def _supported(run: Predictions, column: int) -> bool:
    labelled = ~np.isnan(run.targets[:, column])
    support = Support.of(run.targets[labelled, column] == 1, run.patient_id[labelled])
    return min(support.n_positive_patients, support.n_negative_patients) >= MINIMUM_PATIENTS


def _curves(configuration: Configuration, runs: list[Predictions], column: int) -> FindingCurves:
    labelled = ~np.isnan(runs[0].targets[:, column])
    targets = runs[0].targets[labelled, column] == 1
    patients = runs[0].patient_id[labelled]
    odds = np.stack([Part.of(run).log_odds[labelled, column] for run in runs])
    stated = np.stack([run.probabilities[labelled, column] for run in runs]).astype(float)
    finding = runs[0].findings[column]
    test = configuration.on_test(finding)
    seed_text = _seed_text(configuration)
    roc, precision_recall = (
        make(targets, odds, patients, seed_text=seed_text)
        for make in (curves.roc_band, curves.precision_recall_band)
    )
    decided = [each.metrics for each in test]
    return FindingCurves(
        finding,
        mean([each.metrics["auc"] for each in test]),
        mark_of(configuration.spec).colour,
        targets,
        odds,
        roc,
        precision_recall,
        curves.reliability(targets, stated, patients, seed_text=seed_text),
        [(m["sensitivity"], m["specificity"], m["ppv"]) for m in decided],
    )


def _seed_text(configuration: Configuration) -> str:
    return configuration.runs[0].row.protocol.id


def _rows(part: Predictions, image_ids: np.ndarray) -> Predictions:
    order = np.argsort(part.image_id)
    rows = order[np.searchsorted(part.image_id, image_ids, sorter=order)]
    arrays = {
        name: values[rows] for name, values in vars(part).items() if isinstance(values, np.ndarray)
    }
    return Predictions(part.findings, part.kind, **arrays)
