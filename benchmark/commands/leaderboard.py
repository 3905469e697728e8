"""`cxr-bench leaderboard`: write it anew from the saved files."""

from __future__ import annotations

from pathlib import Path

import click

from benchmark.errors import UserError


def write_leaderboard(results: Path, *, cost: bool = True) -> None:
    """Write the leaderboard and say where it is."""
    from benchmark.records.store import Results
    from benchmark.report.leaderboard import write

    if not (results / "rows").is_dir():
        raise UserError(
            f"{results} holds no rows yet. Run: cxr-bench run --all --results {results}"
        )
    click.echo(f"Leaderboard: {write(Results(results), cost=cost)}")
