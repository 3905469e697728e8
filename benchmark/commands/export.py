"""`cxr-bench export`: tables for a paper, with the columns that are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click


def export_tables(
    text: str, form: str, names: Sequence[str], suite: str, out: Path | None, results: Path
) -> None:
    """Write the tables that are asked for to a file, or to the terminal.

    Raises:
        UserError: there is no such table, column or suite, or the file cannot be written.
    """
    from benchmark.errors import check_names
    from benchmark.records.store import Results
    from benchmark.report.export.chosen import FORMATS, choose, offers
    from benchmark.report.files import write_asked
    from benchmark.report.leaderboard.board import Leaderboard

    leaderboard = Leaderboard.of(Results(results))
    if suite:
        check_names("suite with a finished row", [suite], leaderboard.suites)
    offered = list(offers(leaderboard, suite, to_be_read=form != "csv"))
    written = FORMATS[form](choose(offered, text, names), names)
    if out is None:
        click.echo(written, nl=False)
        return
    write_asked(out, written.encode())
    click.echo(f"Wrote {out}.", err=True)
