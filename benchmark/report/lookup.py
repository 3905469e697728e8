"""Find rows by what a person types: a cell's id, a configuration's id, or the start of either."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher

from benchmark.errors import UserError
from benchmark.records.store import Results, Row
from benchmark.report.configuration import Configuration, Run
from benchmark.report.labels import preparation, size
from benchmark.report.text import UNDEFINED
from benchmark.report.titles import protocol_title
from benchmark.scoring.stored import stored_scores

SHOWN = 6


@dataclass(frozen=True)
class Found:
    """What an id stands for.

    Attributes:
        rows: the row of a cell, or all rows of a configuration by seed.
        is_cell: True for one cell, False for a configuration.
    """

    rows: tuple[Row, ...]
    is_cell: bool

    @property
    def row(self) -> Row:
        """The first row."""
        return self.rows[0]

    @property
    def title(self) -> str:
        """What it is, in words."""
        seeds = ", ".join(str(row["cell"]["seed"]) for row in self.rows)
        kind = "cell" if self.is_cell else "configuration"
        known = self.row["cell_id"] if self.is_cell else self.row["config_id"]
        return f"{describe(self.row)}, seed{'s' * (len(self.rows) > 1)} {seeds} ({kind} {known})"

    def configuration(self, results: Results) -> Configuration:
        """Its finished rows with their scores.

        Raises:
            UserError: none is finished, or a prediction file is missing or damaged.
        """
        done = [row for row in self.rows if row["status"] == "done"]
        if not done:
            reason = (self.row["error"] or {}).get("reason", "no reason recorded")
            status = self.row["status"].replace("_", " ")
            raise UserError(f"{self.title} has no scores, it is {status}: {reason}")
        runs = tuple(Run(row, stored_scores(results, row)) for row in done)
        return Configuration(self.row["config_id"], runs)


def find(results: Results, text: str) -> Found:
    """The cell or the configuration whose id is or begins with ``text``.

    Raises:
        UserError: nothing or more than one thing is called so; the nearest are listed.
    """
    rows = sorted(results.rows(), key=lambda row: row["cell"]["seed"])
    cells = {row["cell_id"]: Found((row,), True) for row in rows}
    configurations = {
        row["config_id"]: Found(tuple(r for r in rows if r["config_id"] == row["config_id"]), False)
        for row in rows
    }
    everything = [*configurations.items(), *cells.items()]
    exact = [found for known, found in everything if known == text]
    matches = exact or [found for known, found in everything if text and known.startswith(text)]
    if len(matches) == 1:
        return matches[0]
    if not rows:
        raise UserError(f"{results.folder} holds no rows yet. Run: cxr-bench run --all")
    if matches:
        raise UserError(f"{text!r} begins more than one id:\n{_listed(matches)}")
    nearest = sorted(everything, key=lambda pair: -_likeness(text, *pair))
    raise UserError(
        f"no row or configuration in {results.folder} is called {text!r}. Nearest:\n"
        + _listed([found for _, found in nearest])
    )


def describe(row: Row) -> str:
    """Data set, model, size and preparation of a row in one line."""
    cell = row["cell"]
    pixels = f" {size(cell)} px" if cell["resolution"] else ""
    prepared = preparation(cell)
    return f"{protocol_title(row['protocol'])} {cell['model']}{pixels}" + (
        f" ({prepared})" if prepared != UNDEFINED else ""
    )


def _likeness(text: str, known: str, found: Found) -> float:
    model = found.row["cell"]["model"]
    return max(SequenceMatcher(None, text, other).ratio() for other in (known, model))


def _listed(found: Iterable[Found]) -> str:
    titles = [each.title for each in found]
    more = [f"  ... and {len(titles) - SHOWN} more"] if len(titles) > SHOWN else []
    return "\n".join([*(f"  {title}" for title in titles[:SHOWN]), *more])
