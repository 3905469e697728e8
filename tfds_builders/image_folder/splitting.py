"""The tool's own split: by group, so that nothing is torn apart, and even in every finding.

Groups are patients, joined where they have a copy of one image in common. They are dealt out by
iterative stratification (Sechidis, Tsoumakas and Vlahavas, ECML 2011): of the rarest finding first,
each to the split that lacks most of it. What is even is the number of groups with a finding, as a
test AUC needs positive and negative patients.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from tfds_builders.image_folder.contents import Entry
from tfds_builders.splits import position

SALT = "image_folder/2"
NOTHING = -1
"""Stands for "no finding" among the labels of a group."""


def assign(
    entries: Sequence[Entry],
    groups: Mapping[str, str],
    fractions: Mapping[str, float],
    seed: int = 0,
) -> dict[str, str]:
    """Split of each group.

    Args:
        entries: the images.
        groups: image -> group.
        fractions: split -> share of the groups, adding up to one.
        seed: another number is another split.
    """
    labels = _labels(entries, groups)
    order = sorted(labels, key=lambda group: position(group, f"{SALT}/{seed}"))
    left = {group: labels[group] for group in order}
    wanted = {
        split: Counter({label: share * n for label, n in _count(left).items()})
        for split, share in fractions.items()
    }
    room = {split: share * len(order) for split, share in fractions.items()}
    found: dict[str, str] = {}
    while left:
        count = _count(left)
        rarest = min(count, key=lambda label: (count[label], label))
        for group in [group for group, has in left.items() if rarest in has]:
            split = max(room, key=lambda s: (wanted[s][rarest], room[s], fractions[s]))
            found[group] = split
            room[split] -= 1
            wanted[split].subtract(left.pop(group))
    return found


def _labels(entries: Sequence[Entry], groups: Mapping[str, str]) -> dict[str, frozenset[int]]:
    """Findings that any image of a group has; :data:`NOTHING` where none has any."""
    labels: dict[str, set[int]] = defaultdict(set)
    for entry in entries:
        has = {k for k, positive in enumerate(entry.findings) if positive}
        labels[groups[entry.image]] |= has
    return {group: frozenset(has or {NOTHING}) for group, has in labels.items()}


def _count(labels: Mapping[str, frozenset[int]]) -> Counter[int]:
    return Counter(label for has in labels.values() for label in has)
