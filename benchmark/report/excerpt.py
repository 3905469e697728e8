"""The two tables of the README: one suite, published test split and internal split beside it."""

from __future__ import annotations

from benchmark.report.board import Leaderboard
from benchmark.report.columns import EXCERPT, Entry
from benchmark.report.configuration import Configuration
from benchmark.report.render import markdown
from benchmark.report.section import ranking

DATASET, SUITE = "kermany_pneumonia", "pneumonia"


def excerpt(of: Leaderboard, dataset: str = DATASET, suite: str = SUITE) -> dict[str, str]:
    """Markdown tables by ``"published"`` and ``"internal"``, of what a suite ran on both splits."""
    pairs = [
        pair
        for pair in of.pairs
        if pair.dataset == dataset and pair.published.runs[0].row.suite == suite
    ]
    return {
        side: _table(of, [getattr(pair, side) for pair in pairs])
        for side in ("published", "internal")
    }


def _table(of: Leaderboard, chosen: list[Configuration]) -> str:
    table = next(each for each in of.tables if chosen[0] in each.configurations)
    shown = [Entry(table, c) for c in table.configurations if c in chosen]
    return markdown.table(ranking(table, shown, cost=False, place=EXCERPT))
