"""Two rows or configurations on the same test images: do they differ, or is it chance?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from benchmark.errors import UnknownName, UserError
from benchmark.records.facts import ProtocolFacts
from benchmark.records.row import Row
from benchmark.records.store import Results
from benchmark.report.comparing.lookup import Found
from benchmark.report.gathering.configuration import Configuration
from benchmark.scoring.influence import Influence, macro_auc, macro_f1
from benchmark.scoring.part import Part
from benchmark.scoring.ranking import Comparison, Entry, Seed, compare
from benchmark.scoring.stored import predictions_of

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

    def compare(self, results: Results, metric: str) -> Comparison:
        """Difference of a metric of :data:`METRICS`: of F1 at thresholds as they are."""
        scores = self.first.runs[0].scores
        macro = [scores.findings.index(name) for name in scores.macro_findings]
        of = {"auc": macro_auc, "f1": macro_f1}[metric]

        def entry(c: Configuration) -> Entry:
            why = c.runs[0].scores.macro_undefined or ""
            values = c.values(f"test_{metric}")
            return self._entry(results, c, values, lambda part: of(part, macro), why)

        return compare(entry(self.first), entry(self.second))

    def compare_finding(self, results: Results, finding: str) -> Comparison:
        """Difference in AUC of one finding."""
        findings = self.first.runs[0].scores.findings
        if finding not in findings:
            raise UnknownName("finding", finding, findings)
        column = findings.index(finding)

        def entry(c: Configuration) -> Entry:
            values = [part.metrics["auc"] for part in c.on_test(finding)]
            why = c.runs[0].scores.excluded.get(finding, "")
            return self._entry(results, c, values, lambda part: macro_auc(part, [column]), why)

        return compare(entry(self.first), entry(self.second))

    def _entry(
        self,
        results: Results,
        c: Configuration,
        values: list[float | None],
        influence: Callable[[Part], Influence | None],
        why_undefined: str,
    ) -> Entry:
        def load() -> list[Influence]:
            found = []
            for run in c.runs:
                test = predictions_of(results, run.row).part("test")
                found.append(influence(Part.scored(test, run.scores.thresholds)))
            return [each for each in found if each is not None]

        seeds = [
            Seed(value, run.row.spec_id, run.made_from)
            for value, run in zip(values, c.runs, strict=True)
        ]
        deterministic = not self.with_seeds or c.model.deterministic
        called = "A" if c is self.first else "B"
        return Entry(c.key, seeds, load, deterministic, called, why_undefined)


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
