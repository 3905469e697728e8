"""Comparisons on disk: computed once for each pair of prediction files, then only read."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from benchmark.hashing import sha256
from benchmark.records.door import read_derived, save_derived
from benchmark.records.scores import StoredComparison, StoredTable
from benchmark.scoring.families import come_first
from benchmark.scoring.ranking import Comparison, Entry, mean_difference
from benchmark.scoring.scorecard import SCORER_VERSION

KEY_LENGTH = 16
_IDS = ("first", "second")


class StoredComparisons:
    """The comparisons of one leaderboard table.

    What was compared is known by the SHA-256 of the prediction files of all sides, in the order of
    their seeds, whether one was made from the other, and the version of the scorer: whatever
    changes one of them has it computed anew.

    Args:
        path: the file. All in it is derived: one that is missing, or was changed after it was
            written, is as an empty one.
        seed_text: that resamples are drawn from, the id of the table's protocol.
    """

    def __init__(self, path: Path, seed_text: str):
        self._path, self._seed_text = path, seed_text
        self._known = read_derived(path, StoredTable) or StoredTable(pairs={}, first={})
        self._asked = StoredTable(pairs={}, first={})

    def compare(self, first: Entry, second: Entry) -> Comparison:
        """As :func:`benchmark.scoring.ranking.compare`, read where it is known."""
        return self.mean_difference([(first, second)])

    def mean_difference(self, pairs: Sequence[tuple[Entry, Entry]]) -> Comparison:
        """As :func:`benchmark.scoring.ranking.mean_difference`, read where it is known."""
        key = _key(*(entry for pair in pairs for entry in pair))
        if key not in self._asked.pairs:
            known = self._known.pairs.get(key)
            if known is None or not _is_possible(known):
                known = _numbers(mean_difference(pairs))
            self._asked.pairs[key] = known
        numbers = self._asked.pairs[key]
        firsts, seconds = (" ".join(e.config_id for e in side) for side in zip(*pairs, strict=True))
        return Comparison(
            firsts,
            seconds,
            numbers.difference,
            numbers.se,
            numbers.degrees,
            numbers.interval,
            numbers.p,
            numbers.note,
        )

    def come_first(self, entries: Sequence[Entry]) -> dict[str, float]:
        """As :func:`benchmark.scoring.families.come_first`, read where it is known."""
        key = _key(*entries)
        if key not in self._asked.first:
            known = self._known.first.get(key, [])
            whole = len(known) == len(entries)
            found = known if whole else list(come_first(entries, self._seed_text).values())
            self._asked.first[key] = found
        shares = self._asked.first[key]
        return {entry.config_id: each for entry, each in zip(entries, shares, strict=True)}

    def save(self) -> None:
        """Write what was asked for and nothing else, unless the file says it.

        A folder that cannot be written to stays as it is.
        """
        if self._asked == self._known:
            return
        folder = self._path.parent
        if self._asked.pairs:
            save_derived(self._path, self._asked, folder.parent)
        elif not folder.is_symlink():
            with contextlib.suppress(OSError):
                self._path.unlink(missing_ok=True)


def _key(*entries: Entry) -> str:
    sides = b",".join(e.identity for e in entries)
    if any(e.is_made for e in entries):
        pairs = (a.made_from(b) for a in entries for b in entries)
        made = b",".join(b"true" if pair else b"false" for pair in pairs)
    else:  # as of nearly all
        made = b",".join([b"false"] * len(entries) ** 2)
    return sha256(b"[%d,[%b],[%b]]" % (SCORER_VERSION, sides, made))[:KEY_LENGTH]


def _is_possible(known: StoredComparison) -> bool:
    """Whether its interval ends where differences of scores do, as not all of earlier versions."""
    return known.interval is None or max(map(abs, known.interval)) <= 1


def _numbers(comparison: Comparison) -> StoredComparison:
    values = {name: value for name, value in asdict(comparison).items() if name not in _IDS}
    return StoredComparison(**values)
