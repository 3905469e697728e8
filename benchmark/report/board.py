"""Everything a results folder says."""

from __future__ import annotations

from dataclasses import dataclass

from benchmark.records.store import Results
from benchmark.report.external_validation import ExternalValidation, gather_external_validation
from benchmark.report.gather import Table, gather
from benchmark.report.lungs import MaskTable, gather_masks
from benchmark.report.splits import SplitPair, split_pairs


@dataclass(frozen=True)
class Leaderboard:
    """Everything a results folder says, in the order it is shown.

    Attributes:
        tables: one a protocol.
        pairs: configurations measured on an internal and on a published split.
        lungs: tables of lung segmentation.
        external: configurations tested on another data set.
    """

    tables: list[Table]
    pairs: list[SplitPair]
    lungs: list[MaskTable]
    external: list[ExternalValidation]

    @classmethod
    def of(cls, results: Results) -> Leaderboard:
        """The leaderboard of a results folder.

        Raises:
            UserError: a row or prediction file is missing or damaged; it is named.
        """
        rows = list(results.rows())
        tables, lungs = gather(results, rows), gather_masks(results, rows)
        return cls(tables, split_pairs(tables), lungs, gather_external_validation(results))
