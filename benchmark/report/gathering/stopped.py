"""Why a row did not finish."""

from __future__ import annotations

from benchmark.records.row import Row
from benchmark.report.blocks.text import printable

LONGEST_REASON = 500
"""Characters that are shown of an exception's text, which may be a whole array."""


def why_stopped(row: Row) -> str:
    """Why a row did not finish."""
    return printable(row.reason, LONGEST_REASON) or "no reason recorded"
