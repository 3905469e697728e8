"""`cxr-bench report`: the results folder as a site."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from benchmark.errors import UserError

if TYPE_CHECKING:
    from benchmark.report.html.gradcam import Sources


def write_report(
    results: Path,
    out: Path | None,
    *,
    cost: bool,
    rows: Sequence[str],
    suites: Sequence[str],
    gradcam: bool,
    private_images: bool,
    data_dir: Path,
    cache_dir: Path,
    models_dirs: Sequence[Path],
) -> None:
    """Write the site, after its heat maps where they are asked for, and say where it is."""
    from benchmark.records.store import Results
    from benchmark.report.html.site import write_site

    if not (results / "rows").is_dir():
        raise UserError(
            f"{results} holds no rows yet. Run: cxr-bench run --all --results {results}"
        )
    out, folder = out or results / "report", Results(results)
    if gradcam:
        from benchmark.machine.environment import check_installed, current
        from benchmark.report.html.gradcam import Sources

        check_installed(current().backend)
        sources = Sources(folder, data_dir, cache_dir, tuple(models_dirs), private_images)
        _explain_rows(sources, out, rows, suites)
    page = write_site(
        folder,
        out,
        cost=cost,
        rows=rows,
        suites=suites,
        progress=lambda done, total: _show("drawing rows", done, total),
    )
    click.echo(f"Report: {page}")
    if private_images:
        click.echo("It may show images that may not be passed on: keep it on this machine.")


def _explain_rows(sources: Sources, out: Path, rows: Sequence[str], suites: Sequence[str]) -> None:
    from benchmark.report.gather import gather
    from benchmark.report.html.gradcam import explain
    from benchmark.report.html.names import file_name
    from benchmark.report.html.site import chosen_rows

    chosen = chosen_rows(gather(sources.results), rows, suites)
    for done, (_, configuration) in enumerate(chosen):
        _show("heat maps", done, len(chosen))
        explain(configuration, sources, out / "gradcam" / file_name(configuration.key))
    _show("heat maps", len(chosen), len(chosen))


def _show(what: str, done: int, total: int) -> None:
    """One moving line on a terminal, nothing elsewhere."""
    if sys.stderr.isatty():
        end = "\r\033[K" if done == total else ""
        click.echo(f"\r\033[KReport: {what} {done:,} of {total:,}{end}", nl=False, err=True)
