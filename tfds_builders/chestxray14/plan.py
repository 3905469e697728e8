"""From the tables of a copy to what a config takes: images, splits, boxes."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from tfds_builders.chestxray14 import labels, protocols, raw
from tfds_builders.chestxray14.labels import Box, Entry
from tfds_builders.splits import SPLITS

CONSENSUS = ("Atelectasis", "Cardiomegaly", "Consolidation", "Edema", "Effusion")
"""Findings of the teaching subset's test split that four radiologists agreed on."""

_SELECTIONS = {
    "fourteen_random": protocols.by_patient,
    "sample": protocols.by_patient,
    "seven": protocols.seven,
    "six": protocols.six,
    "six_balanced": protocols.six_balanced,
}


@dataclass(frozen=True)
class Plan:
    """What a config takes, whatever part of it the copy holds.

    Attributes:
        entries: split to image to what the tables say of it.
        listed: every image of the tables, taken or not.
        unassigned: listed images that the config should take and cannot, with the reason.
        boxes: image to its boxes.
        removed: split to number of images taken out because of a patient in two splits.
        source: name of the tables, for messages.
    """

    entries: dict[str, dict[str, Entry]]
    listed: frozenset[str]
    source: str
    unassigned: dict[str, str] = field(default_factory=dict)
    boxes: dict[str, list[Box]] = field(default_factory=dict)
    removed: dict[str, int] = field(default_factory=dict)


def make_plan(copy: raw.Copy, protocol: str, tables: tuple[str, ...]) -> Plan:
    """Read the tables and decide.

    Args:
        copy: where they are.
        protocol: of the config.
        tables: of the config, labels first.

    Raises:
        DatasetError: a table is not as published; says where.
    """
    if protocol.startswith("small"):
        return _teaching(copy, disjoint=protocol == "small_disjoint")
    entries = labels.read_entries(copy.read(tables[0]), tables[0])
    unassigned = {}
    if protocol == "fourteen":
        lists = [labels.read_list(copy.read(name), name) for name in (raw.TRAIN_VAL, raw.TEST)]
        split_of = protocols.official(entries, *lists)
        why = f"in neither {raw.TRAIN_VAL} nor {raw.TEST}"
        unassigned = {e.image_id: why for e in entries if e.image_id not in split_of}
    else:
        split_of = _SELECTIONS[protocol](entries)
    found: dict[str, dict[str, Entry]] = {split: {} for split in SPLITS}
    for entry in entries:
        if entry.image_id in split_of:
            found[split_of[entry.image_id]][entry.image_id] = entry
    listed = frozenset(entry.image_id for entry in entries)
    return Plan(found, listed, tables[0], unassigned, _boxes(copy))


def _teaching(copy: raw.Copy, *, disjoint: bool) -> Plan:
    entries = {
        split: {e.image_id: e for e in labels.read_small(copy.read(name), name)}
        for split, name in raw.SMALL.items()
    }
    listed = frozenset(image for part in entries.values() for image in part)
    removed = {}
    if disjoint:
        patients = {s: {i: e.patient_id for i, e in p.items()} for s, p in entries.items()}
        for split, leaking in protocols.without_leaks(patients).items():
            removed[split] = len(leaking)
            entries[split] = {i: e for i, e in entries[split].items() if i not in leaking}
    return Plan(entries, listed, ", ".join(raw.SMALL.values()), removed=removed)


def _boxes(copy: raw.Copy) -> dict[str, list[Box]]:
    found = defaultdict(list)
    if copy.has(raw.BOXES):
        for box in labels.read_boxes(copy.read(raw.BOXES), raw.BOXES):
            found[box.image_id].append(box)
    return dict(found)
