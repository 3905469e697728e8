"""The files of specs as bytes, for workers that do not see the results folder."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from benchmark.records.store import Results
from benchmark.spec import Spec

Files = dict[str, bytes]
"""Path within a results folder -> content; a row comes last."""
KINDS = (
    "weights/{}.weights.h5",
    "masks/{}.npz",
    "anomaly/{}.npz",
    "predictions/{}.csv.gz",
    "private/{}.csv.gz",
    "scores/{}.json",
    "influences/{}.json",
    "rows/{}.json",
)


def files_of(results: Results, spec_id: str) -> Files:
    """Everything that a spec left in a folder."""
    paths = [kind.format(spec_id) for kind in KINDS]
    there = {path: results.folder / path for path in paths}
    return {path: file.read_bytes() for path, file in there.items() if file.is_file()}


def needed_by(results: Results, spec: Spec) -> Files:
    """Everything that those specs left that a spec is made from, directly or by others."""
    found: Files = {}
    ahead, seen = list(spec.required_ids.values()), set[str]()
    while ahead:
        spec_id = ahead.pop()
        if spec_id in seen or (row := results.read_row(spec_id)) is None:
            continue
        seen.add(spec_id)
        found |= files_of(results, spec_id)
        ahead += row.spec.required_ids.values()
    return found


def put(folder: Path, files: Files) -> None:
    """Write files into a results folder: all of them are on disk before the first has its name."""
    Results(folder).write({folder / path: data for path, data in files.items()})


def remove(folder: Path, paths: Iterable[str]) -> None:
    """Remove files from a folder that nobody else reads."""
    for path in paths:
        (folder / path).unlink(missing_ok=True)
