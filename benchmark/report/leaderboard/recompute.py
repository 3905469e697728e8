"""What was derived from rows and predictions, computed anew without a look at what is stored."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path
from typing import Any

import msgspec

from benchmark.records.door import read_derived
from benchmark.records.files import refuse_link, write_in_order
from benchmark.records.scores import StoredTable
from benchmark.records.store import COMPARISONS, DERIVED, Results
from benchmark.report.leaderboard.board import Leaderboard

NEAR = 1e-6
"""Difference that another processor or version of NumPy may make."""
STATE = ("scorer_version", "predictions_sha256", "seed_text")
"""By which a stored file is known to be of the predictions and the code as they are."""


def recompute(results: Results) -> list[Path]:
    """Compute all that is derived from rows and predictions, and store it.

    Returns:
        The files that passed for sound and held other numbers than are computed.

    Raises:
        UserError: a folder that would be written to is a link; all is as it was.
        OSError: the folder cannot be written to; it is as it was.
    """
    for folder in (results.folder, results.cross.folder):
        for name in DERIVED:
            refuse_link(folder / name, results.folder, "Copy the folder, and name the copy.")
    with tempfile.TemporaryDirectory() as scratch:
        Leaderboard.of(Results(results.folder, derived=Path(scratch)))
        made = {
            results.folder / path.relative_to(scratch): path
            for name in DERIVED
            for path in sorted(Path(scratch).glob(f"**/{name}/*.json"))
        }
        others = [stored for stored, computed in made.items() if _says_other(stored, computed)]
        write_in_order({path: computed.read_bytes() for path, computed in made.items()})
    return others


def _says_other(path: Path, fresh: Path) -> bool:
    """Whether a stored file would be believed, and is not what is computed."""
    if path.parent.name == COMPARISONS:
        return _compared_otherwise(*(read_derived(each, StoredTable) for each in (path, fresh)))
    stored, computed = (read_derived(each, dict[str, Any]) or {} for each in (path, fresh))
    if any(stored.get(name) != computed.get(name) for name in STATE):
        return False
    return _differ(stored, computed)


def _compared_otherwise(stored: StoredTable | None, computed: StoredTable | None) -> bool:
    """Whether two tables differ in what both hold: other predictions have other keys."""
    if stored is None or computed is None:
        return False
    before, now = (msgspec.to_builtins(each) for each in (stored, computed))
    return any(
        _differ(before[part][key], now[part][key])
        for part in now
        for key in before[part].keys() & now[part].keys()
    )


def _differ(stored: Any, computed: Any) -> bool:
    if isinstance(stored, dict) and isinstance(computed, dict):
        return stored.keys() != computed.keys() or any(
            _differ(value, computed[key]) for key, value in stored.items()
        )
    if isinstance(stored, list) and isinstance(computed, list):
        return len(stored) != len(computed) or any(map(_differ, stored, computed))
    if isinstance(stored, float) and isinstance(computed, float):
        return not math.isclose(stored, computed, rel_tol=NEAR, abs_tol=NEAR)
    return stored != computed
