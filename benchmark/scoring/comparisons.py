"""Comparisons on disk: computed once for each pair of prediction files, then only read."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from benchmark.records.files import canonical_json, sha256, write_atomic
from benchmark.scoring.ranking import Comparison, Entry, compare
from benchmark.scoring.scorecard import SCORER_VERSION

KEY_LENGTH = 16
_IDS = ("first", "second")


class StoredComparisons:
    """The comparisons of one leaderboard table.

    A comparison is known by the SHA-256 of the prediction files of both sides, in the order of
    their seeds, and the version of the scorer: whatever changes one of them has it computed anew.

    Args:
        path: the file; a missing or damaged one is as an empty one, because all in it is derived.
    """

    def __init__(self, path: Path):
        self._path = path
        self._known = _read(path)
        self._asked: dict[str, dict] = {}

    def compare(self, first: Entry, second: Entry) -> Comparison:
        """As :func:`benchmark.scoring.ranking.compare`, read where it is known."""
        sides = [[entry.predictions, entry.deterministic] for entry in (first, second)]
        key = sha256(canonical_json([SCORER_VERSION, sides]))[:KEY_LENGTH]
        if key not in self._asked:
            self._asked[key] = self._known.get(key) or _numbers(compare(first, second))
        return Comparison(first.config_id, second.config_id, **self._asked[key])

    def save(self) -> None:
        """Write what was asked for and nothing else, one line each, unless the file says it."""
        if self._asked == self._known:
            return
        lines = (f'"{key}":{canonical_json(self._asked[key]).decode()}' for key in self._asked)
        text = "{\n" + ",\n".join(sorted(lines)) + "\n}\n"
        write_atomic(self._path, text.encode())


def _numbers(comparison: Comparison) -> dict:
    return {name: value for name, value in asdict(comparison).items() if name not in _IDS}


def _read(path: Path) -> dict[str, dict]:
    try:
        known = json.loads(path.read_bytes())
        return known if isinstance(known, dict) else {}
    except (OSError, ValueError):
        return {}
