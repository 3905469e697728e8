"""Which images each split holds: as the set says, or dealt out anew."""

from __future__ import annotations

from dataclasses import replace

from tfds_builders import splits
from tfds_builders.image_folder import splitting
from tfds_builders.image_folder.contents import Entry
from tfds_builders.image_folder.options import UNKNOWN, Options
from tfds_builders.image_folder.surveying import Survey


def members_of(found: Survey, options: Options) -> tuple[dict[str, list[Entry]], str]:
    """Entries of each split, and who made the split.

    Where the set has its own split, only what it lacks is taken out of its training part.

    Raises:
        DatasetError: a split would be empty.
    """
    entries = [replace(e, pool="") for e in found.entries] if options.resplit else found.entries
    fixed = _fixed(found, options)
    wanted = options.fractions()
    fractions = {split: share for split, share in wanted.items() if split not in fixed}
    fractions["train"] += sum(share for split, share in wanted.items() if split in fixed)
    free = [entry for entry in entries if entry.pool not in fixed]
    dealt = splitting.assign(free, found.groups, fractions, options.split_seed)
    members: dict[str, list[Entry]] = {split: [] for split in splits.SPLITS}
    for entry in entries:
        split = entry.pool if entry.pool in fixed else dealt[found.groups[entry.image]]
        members[split].append(entry)
    patients = len(set(found.groups.values()))
    splits.refuse_empty(
        "image_folder", members, f"There are too few patients ({patients}) to be split."
    )
    own = {entry.pool for entry in entries} - {""}
    return members, _split_source(own, fractions, options)


def dealt_splits(found: Survey, options: Options) -> list[str]:
    """The splits between which the images were dealt out here; none in a split of the set's own."""
    dealt = [split for split in splits.SPLITS if split not in _fixed(found, options)]
    return dealt if len(dealt) > 1 else []


def _fixed(found: Survey, options: Options) -> set[str]:
    """The splits that are as the set says."""
    pools = {entry.pool for entry in found.entries}
    return set() if options.resplit else pools - {"", "train"}


def _split_source(own: set[str], fractions: dict[str, float], options: Options) -> str:
    unit = "images" if options.patients == UNKNOWN else "patients"
    shares = ", ".join(f"{split} {share:.0%}" for split, share in fractions.items())
    dealt = f"by {unit}, stratified by finding: {shares}; seed {options.split_seed}"
    if not own:
        return dealt
    told = f"the set's own: {', '.join(sorted(own))}"
    return told if len(fractions) == 1 else f"{told}; of its training part {dealt}"
