"""`cxr-bench predictions`: what a row said of every image, as a table for other tools."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from benchmark.commands.warned import warn
from benchmark.errors import UserError, check_names

if TYPE_CHECKING:
    from pandas import DataFrame

ENDINGS = (".csv", ".parquet")


def write_predictions(text: str, splits: Sequence[str], out: Path, results: Path) -> None:
    """Write the predictions of a row, or of all seeds of a configuration, to one file.

    Raises:
        UserError: the file's name ends in neither of :data:`ENDINGS`, or cannot be written; there
            is no such row or split, it has no predictions, or they are damaged.
    """
    from benchmark.records.store import Results
    from benchmark.report.blocks.text import one_line
    from benchmark.report.comparing.lookup import find
    from benchmark.report.files import write_asked
    from benchmark.report.gathering.predictions import changed, predictions_frame

    if out.suffix not in ENDINGS:
        raise UserError(f"{out}: name a file that ends in {' or '.join(ENDINGS)}")
    store = Results(results)
    found = find(store, text)
    frame = predictions_frame(store, found.done)
    for each in changed(store, found.done):
        warn(f"Warning: {each}.")
    check_names("split of this row", splits, {*frame["split"]})
    kept = frame[frame["split"].isin(splits)] if splits else frame
    write_asked(out, frame_bytes(kept, out.suffix))
    title = one_line(found.title)
    click.echo(f"Wrote {out}: {len(kept)} predictions of {title}.", err=True)
    if not found.row.dataset.redistributable:
        licence = one_line(found.row.dataset.licence)
        click.echo(f"It holds ids of images that may not be passed on ({licence}).", err=True)


def frame_bytes(frame: DataFrame, ending: str) -> bytes:
    """A table as a file whose name ends in one of :data:`ENDINGS`."""
    from benchmark.report.render.csv import frame_text

    if ending == ".parquet":
        return frame.to_parquet(index=False)
    return frame_text(frame, "%.9g").encode()
