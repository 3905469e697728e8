"""What commands share that draw images of a row: which row, of which set, into which files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from benchmark.errors import UserError
from benchmark.records.row import Row
from benchmark.records.store import Results

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from benchmark.data.prepared import Prepared


@dataclass(frozen=True)
class Subject:
    """A row whose images are drawn, and where they are.

    Attributes:
        row: finished.
        prepared: the set it was made on, as it was then.
    """

    row: Row
    results: Results
    prepared: Prepared
    cache_dir: Path


def draw_row(
    text: str,
    what: str,
    fits: Callable[[Row], bool],
    draw: Callable[[Subject], Figure],
    *,
    results: Path,
    data_dir: Path,
    cache_dir: Path,
    out: Path,
) -> None:
    """Write ``<spec id>.png`` and ``.svg`` into ``out`` for each row that is meant.

    The figures show images of the set, so they stay local.

    Args:
        text: a row, or a configuration for all its rows, as
            :func:`benchmark.report.comparing.lookup.find` takes them.
        what: a row that can be drawn is, in words.
        fits: whether a finished row is one.

    Raises:
        UserError: there is no such row, what is drawn of it is not here, or its set was prepared
            anew.
    """
    from benchmark.data.prepared import load_prepared
    from benchmark.report.comparing.lookup import describe, find
    from benchmark.report.drawing.style import save, styled

    stored = Results(results)
    found = find(stored, text)
    rows = [row for row in found.done if fits(row)]
    if not rows:
        fitting = [row for row in stored.rows() if row.done and fits(row)]
        listed = "".join(f"\n  {describe(row)} (spec {row.spec_id})" for row in fitting)
        raise UserError(f"{found.title} is not {what}. There are:{listed or ' none'}")
    for row in rows:
        prepared = load_prepared(row.spec.dataset, data_dir)
        if prepared.manifest_sha256 != row.spec.manifest_sha256:
            raise UserError(f"{prepared.name} was prepared anew after row {row.spec_id} was made")
        path = out / row.spec_id
        with styled():
            save(draw(Subject(row, stored, prepared, cache_dir)), path)
        click.echo(f"Figure: {path}.png and .svg. It shows images of the set: keep it local.")
