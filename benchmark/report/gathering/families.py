"""The families of a table, as its suites declare them, and what they told apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

from benchmark.report.gathering.configuration import Configuration
from benchmark.scoring.comparisons import StoredComparisons
from benchmark.scoring.families import Family, analysed
from benchmark.scoring.ranking import Comparison, Entry
from benchmark.suites.families import DEFAULT, Fixed, fixed, is_baseline


@dataclass(frozen=True)
class TableFamily:
    """One family of a table.

    Attributes:
        suite: that declared it.
        axis: what differs within it, as the suite file has it.
        number: of those that give letters; None of the others.
        fixed: what is the same throughout.
        family: its comparisons, by the keys of configurations.
    """

    suite: str
    axis: str
    number: int | None
    fixed: Fixed
    family: Family

    def behind(self, key: str) -> tuple[Comparison, float] | None:
        """The best of the family minus another of it, with Holm's p over all pairs."""
        return self._behind.get(key)

    @cached_property
    def _behind(self) -> dict[str, tuple[Comparison, float]]:
        pairs = zip(self.family.comparisons, self.family.adjusted_p, strict=True)
        return {c.second: (c, p) for c, p in pairs if c.first == self.family.members[0]}


@dataclass(frozen=True)
class Letters:
    """The letters of a configuration: of which family, and whether seeds are too few for them."""

    family: int
    text: str
    provisional: bool


def families_of(
    configurations: Sequence[Configuration], entries: Mapping[str, Entry], stored: StoredComparisons
) -> list[TableFamily]:
    """All families of at least two, those that give letters first.

    Args:
        configurations: that can be compared.
        entries: of each by key.
        stored: compares them.
    """
    compared = [c for c in configurations if not is_baseline(c.spec)]
    found: list[TableFamily] = []
    lettered: set[str] = set()
    for suite in sorted({run.row.suite for c in compared for run in c.runs}):
        of_suite = [c for c in compared if any(run.row.suite == suite for run in c.runs)]
        for place, axis in enumerate(_declared(suite)):
            for same, members in _within(of_suite, axis):
                family = analysed(
                    [entries[c.key] for c in members],
                    compared=stored.compare,
                    first=stored.come_first,
                )
                first = not place and not lettered & set(family.members)
                number = 1 + sum(f.number is not None for f in found) if first else None
                lettered |= set(family.members) if first else set()
                found.append(TableFamily(suite, axis, number, same, family))
    return sorted(found, key=lambda f: (f.number is None, f.number or 0))


def letters_of(families: Iterable[TableFamily]) -> dict[str, Letters]:
    """Key -> its letters, for all configurations of families that give some."""
    return {
        key: Letters(each.number, text, key in each.family.provisional)
        for each in families
        if each.number is not None
        for key, text in each.family.letters.items()
    }


def _within(
    configurations: Sequence[Configuration], axis: str
) -> list[tuple[Fixed, list[Configuration]]]:
    """Configurations that share all but an axis, at least two of them.

    Whatever lacks a field, as a vote lacks a precision, joins the largest family that it fits to.
    """
    together: dict[Fixed, list[Configuration]] = defaultdict(list)
    for c in sorted(configurations, key=lambda c: -len(fixed(c.spec, axis))):
        own = fixed(c.spec, axis)
        same = max(_fitting(own, together), key=lambda f: (len(together[f]), f), default=own)
        together[same].append(c)
    return [(same, members) for same, members in together.items() if len(members) > 1]


def _fitting(own: Fixed, together: Iterable[Fixed]) -> Iterator[Fixed]:
    for same in together:
        if len(same) <= len(own):
            return  # those of most fields come first
        if set(own) < set(same):
            yield same


@cache
def _declared(suite: str) -> tuple[str, ...]:
    from benchmark.suites import load_suite, suites

    return load_suite(suite).families if suite in suites() else DEFAULT
