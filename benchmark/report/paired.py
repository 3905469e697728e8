"""Two rows or configurations on the same test images: do they differ, or is it chance?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmark.errors import UnknownName, UserError
from benchmark.records.predictions import read_predictions
from benchmark.records.store import Results
from benchmark.report.configuration import Configuration
from benchmark.report.lookup import Found
from benchmark.scoring import multiclass
from benchmark.scoring.delong import PairedTest, paired_test
from benchmark.scoring.ranking import Comparison, Entry, compare

METRICS = {"auc": "AUC", "f1": "F1"}


@dataclass(frozen=True)
class Pair:
    """Two configurations, or two trained networks, measured under one protocol.

    Attributes:
        first, second: what is compared.
        with_seeds: whether chance in training counts: for configurations it does; two cells are
            compared as the two networks that they are.
    """

    first: Configuration
    second: Configuration
    with_seeds: bool

    @classmethod
    def of(cls, results: Results, first: Found, second: Found) -> Pair:
        """The pair of two finds.

        Raises:
            UserError: they are the same, or not measured under one protocol.
        """
        _check_same_protocol(first, second)
        sides = [found.configuration(results) for found in (first, second)]
        return cls(*sides, not (first.is_cell and second.is_cell))

    def compare(self, metric: str) -> Comparison:
        """Difference of a metric of :data:`METRICS` by the paired patient bootstrap."""
        return compare(*(self._entry(c, f"test_{metric}") for c in (self.first, self.second)))

    def delong(self, results: Results, finding: str) -> PairedTest:
        """Difference in AUC of one finding by DeLong, clustered by patient.

        Raises:
            UserError: one of them has too few seeds, or the finding too few patients.
        """
        sides = [_test_scores(results, c, finding) for c in (self.first, self.second)]
        (targets, patients, _), _ = sides
        entries = [self._finding_entry(c, finding) for c in (self.first, self.second)]
        if any(entry.seed_variance is None for entry in entries):
            raise UserError("one seed of a model that depends on it: its seed variance is unknown")
        extra = sum(entry.seed_variance for entry in entries)
        scores = [scores for _, _, scores in sides]
        try:
            return paired_test(targets, *scores, patients, extra)
        except ValueError as error:
            raise UserError(f"{finding}: {error}") from None

    def _entry(self, c: Configuration, name: str) -> Entry:
        values, resampled = c.values(name), c.resampled[name]
        seeds = [{"value": v, "replicates": r} for v, r in zip(values, resampled, strict=True)]
        return Entry(c.config_id, seeds, not self.with_seeds or c.model["deterministic"])

    def _finding_entry(self, c: Configuration, finding: str) -> Entry:
        tests = [run.scores["splits"]["test"]["per_finding"][finding] for run in c.runs]
        seeds = [{"value": test["auc"], "replicates": []} for test in tests]
        return Entry(c.config_id, seeds, not self.with_seeds or c.model["deterministic"])


def _check_same_protocol(first: Found, second: Found) -> None:
    if first.rows == second.rows:
        raise UserError(f"{first.title} is compared with itself")
    for what in ("protocol", "watermarks"):
        if first.row[what] != second.row[what]:
            raise UserError(
                f"{first.title}\nand {second.title}\nare not measured under one protocol, so their "
                f"difference means nothing. They differ in {_differing(first, second, what)}."
            )


def _differing(first: Found, second: Found, what: str) -> str:
    if what == "watermarks":
        return "watermarks: one is limited or legacy"
    facts = [found.row[what] for found in (first, second)]
    keys = [key for key in facts[0] | facts[1] if facts[0].get(key) != facts[1].get(key)]
    return ", ".join(key.replace("_", " ") for key in keys if key != "id")


def _test_scores(
    results: Results, c: Configuration, finding: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Targets (N,) bool and patients (N,) of the labelled test images by id, and (N, k) scores."""
    runs: Sequence = [run.row for run in c.runs]
    columns = []
    for row in runs:
        path = results.predictions_path(row["cell_id"], row["dataset"]["redistributable"])
        test = read_predictions(path, row["dataset"]["task"]["kind"]).part("test")
        if finding not in test.findings:
            raise UnknownName("finding", finding, test.findings)
        column = test.findings.index(finding)
        odds = multiclass.log_odds(test.logits) if test.kind == "multiclass" else test.logits
        order = np.argsort(test.image_id)
        order = order[~np.isnan(test.targets[order, column])]
        columns.append(odds[order, column])
    return test.targets[order, column] == 1, test.patient_id[order], np.stack(columns, axis=1)
