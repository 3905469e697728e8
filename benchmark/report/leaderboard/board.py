"""Everything a results folder says."""

from __future__ import annotations

from dataclasses import dataclass
from os import sep

from benchmark.errors import UserError
from benchmark.records.store import Results
from benchmark.report.gathering.gather import gather
from benchmark.report.gathering.table import Table
from benchmark.report.sections.external_validation import (
    ExternalValidation,
    gather_external_validation,
)
from benchmark.report.sections.lungs import MaskTable, gather_masks
from benchmark.report.sections.splits import SplitPair, split_pairs


@dataclass(frozen=True)
class Leaderboard:
    """Everything a results folder says, in the order it is shown.

    Attributes:
        tables: one a protocol.
        pairs: configurations measured on an internal and on a published split.
        lungs: tables of lung segmentation.
        external: configurations tested on another data set.
        left_out: which files cannot be used, so that their rows are not shown, and why; files of
            the folder are named from there.
        results: the folder.
    """

    tables: list[Table]
    pairs: list[SplitPair]
    lungs: list[MaskTable]
    external: list[ExternalValidation]
    left_out: list[str]
    results: Results

    @property
    def suites(self) -> set[str]:
        """The suites that made any of its rows."""
        rows = [run.row for table in self.tables for c in table.configurations for run in c.runs]
        rows += [run.row for table in self.lungs for run in table.runs]
        rows += [each.row for each in self.external]
        return {row.suite for row in rows}

    @classmethod
    def of(cls, results: Results) -> Leaderboard:
        """The leaderboard of a results folder."""
        left_out: list[UserError] = []
        rows = list(results.rows(left_out))
        tables, lungs = gather(results, rows, left_out), gather_masks(results, rows, left_out)
        external = gather_external_validation(results, rows, left_out)
        said = sorted({str(error).replace(f"{results.folder}{sep}", "") for error in left_out})
        return cls(tables, split_pairs(tables), lungs, external, said, results)
