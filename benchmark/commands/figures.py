"""`cxr-bench figures`: what the results say, as pictures."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click


def draw_figures(
    names: Sequence[str],
    *,
    results: Path,
    out: Path | None,
    dataset: str,
    forms: Sequence[str],
    cost: bool,
) -> None:
    """Draw them and say what each is called and shows."""
    from benchmark.records.store import Results
    from benchmark.report.figures import FORMS, draw_all
    from benchmark.report.files import own_folder

    store = Results(results)
    store.check_rows()
    folder = out or own_folder(results, "report", "figures")
    found = draw_all(
        store,
        folder,
        names=names,
        dataset=dataset,
        cost=cost,
        forms=forms or FORMS,
        progress=_show,
    )
    for each in found:
        click.echo(f"{each.file}: {each.draft.title}")
    if not found:
        click.echo("There is nothing to draw: no table has two models that can be compared.")
    else:
        click.echo(f"Figures: {folder}")


def _show(done: int, total: int) -> None:
    """One moving line on a terminal, nothing elsewhere."""
    if sys.stderr.isatty():
        end = "\r\033[K" if done == total else ""
        click.echo(f"\r\033[KFigures: {done:,} of {total:,}{end}", nl=False, err=True)
