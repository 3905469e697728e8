"""Write the leaderboard of a results folder: Markdown, CSV and JSON."""

from __future__ import annotations

from pathlib import Path

from benchmark.records.files import write_atomic
from benchmark.records.store import Results
from benchmark.report.export import exports
from benchmark.report.gather import gather
from benchmark.report.markdown import document
from benchmark.report.splits import split_pairs


def write(results: Results, *, cost: bool = True) -> Path:
    """Write ``LEADERBOARD.md``, ``leaderboard.csv`` and ``leaderboard.json``, each whole.

    Everything comes from the files of the results folder: the same files give the same bytes.
    Scores that are missing or older than their predictions are computed and saved on the way.

    Args:
        results: the results folder.
        cost: whether training time, memory and hardware are included.

    Returns:
        The path of the Markdown file.

    Raises:
        UserError: a row or prediction file is missing or damaged; it is named and nothing is
            written, because a leaderboard that silently lacks a row is wrong.
    """
    tables = gather(results)
    pairs = split_pairs(tables)
    as_csv, as_json = exports(tables, pairs, cost=cost)
    files = {
        "leaderboard.csv": as_csv,
        "leaderboard.json": as_json,
        "LEADERBOARD.md": document(tables, pairs, cost=cost).encode(),
    }
    for name, content in files.items():
        write_atomic(results.folder / name, content)
    return results.folder / "LEADERBOARD.md"
