"""`cxr-bench merge`: join results folders that were filled apart."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from benchmark.commands.leaderboard import write_leaderboard


def merge_folders(folders: Sequence[Path], results: Path) -> None:
    """Merge, say what became of the rows, and write the leaderboard."""
    from benchmark.scoring.merging import merge

    for what, n in sorted(merge(folders, results).items()):
        click.echo(f"{n:>6} rows {what}")
    write_leaderboard(results)
