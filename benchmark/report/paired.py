"""Two rows or configurations on the same test images: do they differ, or is it chance?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmark.errors import UnknownName, UserError
from benchmark.records.row import ProtocolFacts, Row
from benchmark.records.store import Results
from benchmark.report.configuration import Configuration
from benchmark.report.files import row_predictions
from benchmark.report.lookup import Found
from benchmark.scoring.delong import PairedTest, paired_test
from benchmark.scoring.part import Part
from benchmark.scoring.ranking import Comparison, Entry, Seed, compare

METRICS = {"auc": "AUC", "f1": "F1"}


@dataclass(frozen=True)
class Pair:
    """Two configurations, or two trained networks, measured under one protocol.

    Attributes:
        first, second: what is compared.
        with_seeds: whether chance in training counts: for configurations it does; two specs are
            compared as the two networks that they are.
    """

    first: Configuration
    second: Configuration
    with_seeds: bool

    @classmethod
    def of(cls, results: Results, first: Found, second: Found) -> Pair:
        """The pair of two finds.

        Raises:
            UserError: they are the same, hold masks, or were not measured under one protocol.
        """
        _check_comparable(first, second)
        sides = (first.configuration(results), second.configuration(results))
        return cls(*sides, not (first.is_spec and second.is_spec))

    def compare(self, metric: str) -> Comparison:
        """Difference of a metric of :data:`METRICS` by the paired patient bootstrap."""
        return compare(*(self._entry(c, f"test_{metric}") for c in (self.first, self.second)))

    def delong(self, results: Results, finding: str) -> PairedTest:
        """Difference in AUC of one finding by DeLong, clustered by patient.

        Raises:
            UserError: one of them has too few seeds, or the finding too few patients.
        """
        targets, patients, first = _test_scores(results, self.first, finding)
        _, _, second = _test_scores(results, self.second, finding)
        variances = [
            self._finding_entry(c, finding).seed_variance for c in (self.first, self.second)
        ]
        extra = [variance for variance in variances if variance is not None]
        if len(extra) < len(variances):
            raise UserError("one seed of a model that depends on it: its seed variance is unknown")
        try:
            return paired_test(targets, first, second, patients, sum(extra))
        except ValueError as error:
            raise UserError(f"{finding}: {error}") from None

    def _entry(self, c: Configuration, name: str) -> Entry:
        values, resampled = c.values(name), c.resampled[name]
        seeds = [Seed(value, drawn) for value, drawn in zip(values, resampled, strict=True)]
        return Entry(c.key, seeds, not self.with_seeds or c.model.deterministic)

    def _finding_entry(self, c: Configuration, finding: str) -> Entry:
        aucs = [run.scores.splits["test"].per_finding[finding].metrics["auc"] for run in c.runs]
        seeds = list(map(Seed, aucs))
        return Entry(c.key, seeds, not self.with_seeds or c.model.deterministic)


def _check_comparable(first: Found, second: Found) -> None:
    if first.rows == second.rows:
        raise UserError(f"{first.title} is compared with itself")
    for found in (first, second):
        if found.row.holds_masks:
            raise UserError(f"{found.title} predicts masks; they are not compared by this command")
        if found.row.spec.no_test:
            raise UserError(
                f"{found.title} was run without test: there is nothing to compare it by. Its AUC "
                "on validation is in the leaderboard, with the standard error."
            )
    if differing := _differing(first.row, second.row):
        raise UserError(
            f"{first.title}\nand {second.title}\nare not measured under one protocol, so their "
            f"difference means nothing. They differ in {differing}."
        )


def _differing(first: Row, second: Row) -> str:
    names = [name for name in ProtocolFacts.__struct_fields__ if name != "id"]
    differ = [n for n in names if getattr(first.protocol, n) != getattr(second.protocol, n)]
    if not differ and first.watermarks != second.watermarks:
        return "watermarks: one is limited or legacy"
    return ", ".join(name.replace("_", " ") for name in differ)


def _test_scores(
    results: Results, c: Configuration, finding: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Targets (N,) bool and patients (N,) of the labelled test images by id, and (N, k) scores."""
    columns = []
    for run in c.runs:
        test = row_predictions(results, run.row).part("test")
        if finding not in test.findings:
            raise UnknownName("finding", finding, test.findings)
        column = test.findings.index(finding)
        odds = Part.of(test).log_odds
        order = np.argsort(test.image_id)
        order = order[~np.isnan(test.targets[order, column])]
        columns.append(odds[order, column])
    return test.targets[order, column] == 1, test.patient_id[order], np.stack(columns, axis=1)
