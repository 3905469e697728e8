"""The committed results, or others in their place."""

from __future__ import annotations

import os
from pathlib import Path

from benchmark.records.store import Results

FOLDER_VARIABLE = "CXR_BENCH_COMMITTED_RESULTS"
"""Names another results folder to hold to the same: say, before it is committed."""


def committed_results() -> Results:
    """The results folder of the repository."""
    folder = os.environ.get(FOLDER_VARIABLE) or Path(__file__).parents[2] / "results"
    return Results(Path(folder))
