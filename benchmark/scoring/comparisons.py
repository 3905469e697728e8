"""Comparisons on disk: computed once for each pair of prediction files, then only read."""

from __future__ import annotations

import contextlib
from dataclasses import asdict
from pathlib import Path

from benchmark.hashing import canonical_json, sha256
from benchmark.records.door import read_derived, write_record
from benchmark.records.scores import StoredComparison
from benchmark.scoring.ranking import Comparison, Entry, compare
from benchmark.scoring.scorecard import SCORER_VERSION

KEY_LENGTH = 16
_IDS = ("first", "second")
_Known = dict[str, StoredComparison]


class StoredComparisons:
    """The comparisons of one leaderboard table.

    A comparison is known by the SHA-256 of the prediction files of both sides, in the order of
    their seeds, and the version of the scorer: whatever changes one of them has it computed anew.

    Args:
        path: the file. All in it is derived: one that is missing, or was changed after it was
            written, is as an empty one.
    """

    def __init__(self, path: Path):
        self._path = path
        self._known = read_derived(path, _Known) or {}
        self._asked: _Known = {}

    def compare(self, first: Entry, second: Entry) -> Comparison:
        """As :func:`benchmark.scoring.ranking.compare`, read where it is known."""
        sides = [[entry.predictions, entry.deterministic] for entry in (first, second)]
        key = sha256(canonical_json([SCORER_VERSION, sides]))[:KEY_LENGTH]
        if key not in self._asked:
            self._asked[key] = self._known.get(key) or _numbers(compare(first, second))
        numbers = self._asked[key]
        return Comparison(
            first.config_id,
            second.config_id,
            numbers.difference,
            numbers.se,
            numbers.interval,
            numbers.p,
            numbers.note,
        )

    def save(self) -> None:
        """Write what was asked for and nothing else, unless the file says it.

        A folder that cannot be written to stays as it is.
        """
        if self._asked == self._known:
            return
        with contextlib.suppress(OSError):
            if self._asked:
                write_record(self._path, self._asked, readable=False)
            else:
                self._path.unlink(missing_ok=True)


def _numbers(comparison: Comparison) -> StoredComparison:
    values = {name: value for name, value in asdict(comparison).items() if name not in _IDS}
    return StoredComparison(**values)
