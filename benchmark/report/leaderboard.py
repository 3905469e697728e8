"""Write the leaderboard of a results folder: Markdown, CSV and JSON."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from benchmark.records.store import Results
from benchmark.report.crossed import Crossed, gather_crossed
from benchmark.report.export import exports
from benchmark.report.files import write_asked
from benchmark.report.gather import Table, gather
from benchmark.report.lungs import MaskTable, gather_masks
from benchmark.report.markdown import body, document
from benchmark.report.section import Link
from benchmark.report.splits import SplitPair, split_pairs


@dataclass(frozen=True)
class Leaderboard:
    """Everything a results folder says, in the order it is shown.

    Attributes:
        tables: one a protocol.
        pairs: configurations measured on an internal and on a published split.
        lungs: tables of lung segmentation.
        crossed: configurations tested on another data set.
    """

    tables: list[Table]
    pairs: list[SplitPair]
    lungs: list[MaskTable]
    crossed: list[Crossed]

    @classmethod
    def of(cls, results: Results) -> Leaderboard:
        """The leaderboard of a results folder.

        Raises:
            UserError: a row or prediction file is missing or damaged; it is named.
        """
        rows = list(results.rows())
        tables, lungs = gather(results, rows), gather_masks(results, rows)
        return cls(tables, split_pairs(tables), lungs, gather_crossed(results))

    def markdown(self, *, cost: bool) -> str:
        """The whole document."""
        return document(self.tables, self.pairs, self.lungs, self.crossed, cost=cost)

    def body(self, *, cost: bool, link: Link) -> list[str]:
        """Its lines below title and summary, with links to pages of configurations."""
        return body(self.tables, self.pairs, self.lungs, self.crossed, cost=cost, link=link)

    def exports(self, *, cost: bool) -> dict[str, bytes]:
        """File name -> the same numbers, unrounded."""
        as_csv, as_json, lungs_as_csv = exports(
            self.tables, self.pairs, self.lungs, self.crossed, cost=cost
        )
        files = {"leaderboard.csv": as_csv, "leaderboard.json": as_json}
        return files | ({"lung_segmentation.csv": lungs_as_csv} if self.lungs else {})


def write(results: Results, *, cost: bool = True) -> Path:
    """Write ``LEADERBOARD.md``, ``leaderboard.csv`` and ``leaderboard.json``, each whole.

    Where there are rows of segmentation networks, ``lung_segmentation.csv`` as well.

    Everything comes from the files of the results folder: the same files give the same bytes.
    Scores that are missing or older than their predictions are computed and saved on the way.

    Args:
        results: the results folder.
        cost: whether training time, memory and hardware are included.

    Returns:
        The path of the Markdown file.

    Raises:
        UserError: a row or prediction file is missing or damaged; it is named and nothing is
            written, because a leaderboard that silently lacks a row is wrong. Or the folder cannot
            be written to.
    """
    leaderboard = Leaderboard.of(results)
    files = leaderboard.exports(cost=cost)
    files["LEADERBOARD.md"] = leaderboard.markdown(cost=cost).encode()
    for name, content in files.items():
        write_asked(results.folder / name, content)
    return results.folder / "LEADERBOARD.md"
