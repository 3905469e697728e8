"""`cxr-bench leaderboard`: write it anew from the saved files."""

from __future__ import annotations

import gc
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

import click


def write_leaderboard(results: Path, *, cost: bool = True, shown: Collection[str] = ()) -> None:
    """Write the leaderboard and say where it is.

    Args:
        shown: ids of configurations; the tops of the tables that hold any are printed.
    """
    from benchmark.records.store import Results
    from benchmark.report.blocks.lines import window
    from benchmark.report.export.leaderboard import write_found
    from benchmark.report.leaderboard.board import Leaderboard
    from benchmark.report.leaderboard.top import tops

    store = Results(results)
    store.check_rows()
    with _collector_paused():
        found = Leaderboard.of(store)
        path = write_found(found, store, cost=cost)
    for line in tops(found, shown, window(sys.stdout)):
        click.echo(line)
    if found.left_out:
        click.echo(f"{len(found.left_out)} file(s) left out, see above and there.", err=True)
    click.echo(f"Leaderboard: {path}")


@contextmanager
def _collector_paused() -> Iterator[None]:
    """All that is made stays until the end: looking for garbage in it took a fifth of the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
