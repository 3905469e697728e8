"""`cxr-bench leaderboard --recompute`: what is derived is computed anew, and held against it."""

from __future__ import annotations

from pathlib import Path

import click

from benchmark.commands.warned import warn
from benchmark.errors import UserError


def recompute_all(results: Path) -> int:
    """Store what is computed in place of what was stored, and say what was not the same.

    Returns:
        The number of files with other numbers.
    """
    from benchmark.records.store import Results
    from benchmark.report.leaderboard.recompute import recompute

    try:
        others = recompute(Results(results))
    except OSError as error:
        reason = error.strerror or error
        raise UserError(
            f"cannot write to {results}: {reason}. Copy it, and name the copy."
        ) from None
    for path in others:
        warn(f"{path}: held other numbers than are computed; it was made anew.")
    click.echo(f"Recomputed from predictions: {len(others)} stored file(s) held other numbers.")
    return len(others)
