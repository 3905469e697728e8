"""Draw the figures of configurations, on all cores."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from benchmark.hashing import canonical_json, sha256
from benchmark.machine.cores import usable_cores
from benchmark.records.door import read_derived, sealed
from benchmark.records.store import Results
from benchmark.report.figures import Figure
from benchmark.report.files import write_asked
from benchmark.report.gathering.configuration import Configuration
from benchmark.report.html.names import file_name
from benchmark.report.html.row_drawn import Drawn

FEW = 4
"""Configurations that are drawn here: other processes take longer to begin."""
Meanwhile = Callable[[], None]


def draw_rows(
    results: Results,
    configurations: Sequence[Configuration],
    folder: Path,
    meanwhile: Meanwhile = lambda: None,
) -> Generator[Drawn, None, None]:
    """What is drawn of each, in their order; see :func:`..row_figures.draw_row`.

    Args:
        results: where the predictions are.
        configurations: what to draw.
        folder: where the figures of each have a folder.
        meanwhile: what this process does while others draw.
    """
    from benchmark.report.html.row_figures import draw_row, kept

    folders = [folder / file_name(c.key) for c in configurations]
    known = [kept(c, place) for c, place in zip(configurations, folders, strict=True)]
    missing = [k for k, drawn in enumerate(known) if drawn is None]
    cores = min(usable_cores(), len(missing) // FEW)
    if cores < 2:
        meanwhile()
        for c, place, drawn in zip(configurations, folders, known, strict=True):
            yield drawn or draw_row(results, c, place)
        return
    # Not forked: this process has threads of libraries.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(cores, context, initializer=_end_with_parent) as pool:
        try:
            running = {
                k: pool.submit(draw_row, results, configurations[k], folders[k]) for k in missing
            }
            meanwhile()
            for k, drawn in enumerate(known):
                yield drawn or running.pop(k).result()
        finally:  # where nobody asks for the rest, it is not drawn
            pool.shutdown(cancel_futures=True)


def draw_figures(figures: Sequence[Figure], state: bytes, folder: Path) -> None:
    """Draw the figures about several configurations, unless they are there already.

    Args:
        figures: what to draw.
        state: changes with anything that they show.
        folder: where they go.
    """
    from benchmark.report.html.row_figures import RECORD, complete, sources

    names = [each.file for each in figures]
    made_from = sha256(canonical_json([sha256(state), names, sources()]))
    known = read_derived(folder / RECORD, Drawn)
    if known and known.made_from == made_from and complete(folder, known):
        return
    for each in figures:
        each.write(folder)
    drawn = Drawn(made_from=made_from, figures=names, findings=[], subgroups=[])
    write_asked(folder / RECORD, sealed(drawn))


def _end_with_parent() -> None:
    """Let this process end when the one that started it does, however that comes about."""

    def wait() -> None:
        parent = multiprocessing.parent_process()
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
