"""A pair of rows or configurations with all that a comparison says of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from benchmark.errors import UserError
from benchmark.records.facts import ProtocolFacts
from benchmark.records.store import Results
from benchmark.report.blocks.text import one_line
from benchmark.report.comparing.lookup import Found, titles
from benchmark.report.comparing.paired import METRICS, Pair
from benchmark.report.gathering.configuration import Configuration
from benchmark.report.gathering.mismatches import mismatches
from benchmark.scoring.ranking import Comparison


@dataclass(frozen=True)
class Compared:
    """Two sides, A and B, and A minus B.

    Attributes:
        pair: of both.
        protocol: under which both are measured.
        titles: of each side.
        notes: by side, why it is not ranked, and what is not as the run left it, or as the code is
            now.
        by_metric: difference of each of :data:`benchmark.report.comparing.paired.METRICS`.
        of_finding: that of AUC of a finding, by its name.
    """

    pair: Pair
    protocol: ProtocolFacts
    titles: dict[str, str]
    notes: dict[str, list[str]]
    by_metric: dict[str, Comparison]
    of_finding: dict[str, Comparison]

    @classmethod
    def of(cls, results: Results, first: Found, second: Found, finding: str = "") -> Compared:
        """The comparison of two finds.

        Args:
            finding: whose AUC is compared, too; empty for none.

        Raises:
            UserError: they cannot be compared, or there is no such finding.
        """
        if first.config_id == second.config_id and first.is_spec != second.is_spec:
            whole, part = sorted((first, second), key=lambda found: found.is_spec)
            raise UserError(f"{part.title} is one of the seeds of {whole.title}")
        pair, protocol = Pair.of(results, first, second), first.row.protocol
        sides = {"A": (first, pair.first), "B": (second, pair.second)}
        names = dict(zip(sides, titles([first, second]), strict=True))
        apart = mismatches(protocol, (pair.first, pair.second))
        for side, (_, c) in sides.items():
            if why := apart.get(c.key):
                raise UserError(f"{names[side]} cannot be compared: {why}")
        return cls(
            pair,
            protocol,
            names,
            {side: [*_notes(found, c)] for side, (found, c) in sides.items()},
            {metric: pair.compare(results, metric) for metric in METRICS},
            {finding: pair.compare_finding(results, finding)} if finding else {},
        )

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        sides = {"A": self.pair.first, "B": self.pair.second}
        return {
            **{side: self._side(side, c) for side, c in sides.items()},
            "protocol_id": self.protocol.id,
            "with_seeds": self.pair.with_seeds,
            "difference": {metric: _numbers(c) for metric, c in self.by_metric.items()},
            "auc_of_finding": {name: _numbers(c) for name, c in self.of_finding.items()},
        }

    def _side(self, side: str, c: Configuration) -> dict[str, Any]:
        return {
            "title": self.titles[side],
            "config_id": c.config_id,
            "specs": [run.row.spec_id for run in c.runs],
            "notes": self.notes[side],
            **{metric: c.measurements[f"test_{metric}"].mean for metric in self.by_metric},
        }


def _numbers(compared: Comparison) -> dict[str, Any]:
    """Without whom it compares, which stands beside it."""
    held = msgspec.to_builtins(compared)
    return {key: value for key, value in held.items() if key not in ("first", "second")}


def _notes(found: Found, compared: Configuration) -> Iterator[str]:
    """Why it is not ranked, and what is not as the run left it, or as the code is now."""
    if compared.flaw:
        yield f"not ranked: {one_line(compared.flaw)}"
    if compared.edited_seeds:
        seeds = ", ".join(map(str, compared.edited_seeds))
        yield f"predictions were changed after the run, seed {seeds}; scored as they are"
    if compared.stale:
        yield f"made by another version of the code: {one_line(compared.stale)}"
    if compared.remade:
        yield f"made from rows that have been made anew since, seed {', '.join(compared.remade)}"
    left_out = [str(row.spec.seed) for row in found.done if row.code != compared.code]
    if left_out:
        yield f"seed {', '.join(left_out)} made by another version of the code, left out"
