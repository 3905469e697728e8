"""Write the leaderboard of a results folder: Markdown, CSV and JSON."""

from __future__ import annotations

from pathlib import Path

from benchmark.records.store import Results
from benchmark.report.export.csv_and_json import exports
from benchmark.report.files import write_asked
from benchmark.report.leaderboard.board import Leaderboard
from benchmark.report.leaderboard.document import document
from benchmark.report.render import markdown


def write(results: Results, *, cost: bool = True) -> Path:
    """Write ``LEADERBOARD.md``, ``leaderboard.csv`` and ``leaderboard.json``, each whole.

    Where there are rows of segmentation networks, ``lung_segmentation.csv`` as well.

    Everything comes from the files of the results folder: the same files give the same bytes.
    Scores that are missing or older than their predictions are computed and saved on the way. Rows
    that cannot be used, or have no predictions that can be, are left out, named and counted.

    Args:
        results: the results folder.
        cost: whether training time, memory and hardware are included.

    Returns:
        The path of the Markdown file.

    Raises:
        UserError: the folder cannot be written to.
    """
    return write_found(Leaderboard.of(results), results, cost=cost)


def write_found(found: Leaderboard, results: Results, *, cost: bool = True) -> Path:
    """:func:`write` of what has been gathered already."""
    files = exports(found, cost=cost)
    files["LEADERBOARD.md"] = [markdown.document(document(found, cost=cost)).encode()]
    for name, content in files.items():
        write_asked(results.folder / name, content)
    return results.folder / "LEADERBOARD.md"
