"""`cxr-bench report`: the results folder as a site."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from benchmark.commands.terminal import say
from benchmark.errors import UserError

SECONDS = 5.0
"""Time between two lines where there is no terminal."""

if TYPE_CHECKING:
    from benchmark.report.html.gradcam import Sources


def write_report(
    results: Path,
    out: Path | None,
    *,
    publish: Path | None,
    cost: bool,
    rows: Sequence[str],
    suites: Sequence[str],
    gradcam: bool,
    private_images: bool,
    data_dir: Path,
    cache_dir: Path,
    models_dirs: Sequence[Path],
) -> None:
    """Write the site, after its heat maps where they are asked for, and say where it is.

    Args:
        out: folder of the site; None for ``report`` in the results folder.
        publish: folder for a site that static hosting serves as it is, in place of ``out``.
        rows, suites: whose pages and heat maps are written; all where both are empty.
        private_images: whether heat maps also show images that may not be passed on.

    Raises:
        UserError: there are no rows, options do not go together, or a row or suite is not here.
    """
    from benchmark.records.store import Results
    from benchmark.report.files import own_folder
    from benchmark.report.html.site import write_site

    store = Results(results)
    store.check_rows()
    _check(out, publish, gradcam=gradcam, private_images=private_images)
    folder = publish or out or own_folder(results, "report")
    if gradcam:
        from benchmark.machine.environment import check_installed, current
        from benchmark.report.html.gradcam import Sources

        check_installed(current().backend)
        sources = Sources(store, data_dir, cache_dir, tuple(models_dirs), private_images)
        _explain_rows(sources, folder, rows, suites)
    page = write_site(
        store,
        folder,
        cost=cost,
        rows=rows,
        suites=suites,
        private=not publish,
        progress=Shown("pages"),
    )
    if publish:
        (folder / ".nojekyll").touch()  # GitHub's pages would leave files out that begin with "_"
    say(f"Report: {page}")
    if private_images:
        click.echo("It may show images that may not be passed on: keep it on this machine.")


def _check(out: Path | None, publish: Path | None, *, gradcam: bool, private_images: bool) -> None:
    """Raise a UserError where options do not go together."""
    if private_images and not gradcam:
        raise UserError("--private-images is about heat maps: it goes with --gradcam")
    if publish and (out or private_images):
        given = "--out" if out else "--private-images"
        raise UserError(f"--publish writes a site for everyone to see: leave {given} out")


def _explain_rows(sources: Sources, out: Path, rows: Sequence[str], suites: Sequence[str]) -> None:
    from benchmark.report.gathering.gather import gather
    from benchmark.report.html.gradcam import explain
    from benchmark.report.html.names import file_name
    from benchmark.report.html.site import chosen_rows

    chosen = chosen_rows(sources.results, gather(sources.results), rows, suites)
    shown = Shown("heat maps")
    for done, (_, configuration) in enumerate(chosen):
        shown(done, len(chosen))
        explain(configuration, sources, out / "gradcam" / file_name(configuration.key))
    shown(len(chosen), len(chosen))


class Shown:
    """Shows how far a report is: one moving line on a terminal, else a line now and then.

    Args:
        what: is made.
    """

    def __init__(self, what: str):
        self._what, self._said = what, time.monotonic()

    def __call__(self, done: int, total: int) -> None:
        """So many are done."""
        text = f"Report: {done:,} of {total:,} {self._what}"
        if sys.stderr.isatty():
            end = "\r\033[K" if done == total else ""
            click.echo(f"\r\033[K{text}{end}", nl=False, err=True)
        elif time.monotonic() - self._said > SECONDS:
            self._said = time.monotonic()
            click.echo(text, err=True)
