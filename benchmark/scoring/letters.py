"""Compact letter display: configurations that share a letter were not told apart.

Piepho (2004), "An algorithm for a letter-based representation of all-pairwise comparisons":
every pair that was told apart splits the sets that hold both, and sets within others go.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from string import ascii_lowercase


def letters(ordered: Sequence[str], told_apart: Collection[frozenset[str]]) -> dict[str, str]:
    """Name -> its letters, in alphabetical order; the first of ``ordered`` has an ``a``.

    Args:
        ordered: names, the best first.
        told_apart: pairs of names that differ significantly.
    """
    sets = [frozenset(ordered)]
    for pair in sorted(told_apart, key=lambda pair: sorted(map(ordered.index, pair))):
        whole = [s for s in sets if not pair <= s]
        parts = {s - {name} for s in sets if pair <= s for name in pair}
        sets = whole + [
            part
            for part in parts
            if not any(part <= s for s in whole) and not any(part < s for s in parts)
        ]
    sets.sort(key=lambda s: sorted(map(ordered.index, s)))
    named = [(_letter(place), members) for place, members in enumerate(sets)]
    return {name: "".join(sign for sign, of in named if name in of) for name in ordered}


def _letter(place: int) -> str:
    more, last = divmod(place, len(ascii_lowercase))
    return ascii_lowercase[last] + (str(more) if more else "")
