"""Which images a config takes, and which split each of them belongs to.

Everything here looks at tables only, never at the images that a copy happens to hold: so in a
partial copy every patient is in the same split as in the whole set.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from tfds_builders import splits
from tfds_builders.chestxray14.labels import Entry
from tfds_builders.errors import DatasetError

SALT = "chestxray14/1"
FRACTIONS = {"train": 0.7, "validation": 0.1, "test": 0.2}
CARVED = {"train": 0.875, "validation": 0.125}
SEVEN = (
    "Atelectasis",
    "Effusion",
    "Infiltration",
    "Mass",
    "No Finding",
    "Nodule",
    "Pneumothorax",
)
SIX = ("Atelectasis", "Effusion", "Consolidation", "Cardiomegaly", "Edema", "No Finding")
NO_FINDING_SHARE = 1 / 15
"""Of the 60,361 images without findings 3,998 stay: with the other 24,755 they are 28,753."""

BALANCED_FRACTIONS = {"train": 0.6, "validation": 0.2, "test": 0.2}
BALANCED = {"train": 1500, "validation": 500, "test": 500}

Split = dict[str, str]
"""Image to split; images that a config does not take are absent."""


def by_patient(entries: Iterable[Entry], fractions: Mapping[str, float] = FRACTIONS) -> Split:
    """Every image, split by the salted hash of its patient."""
    place: dict[str, str] = {}
    for patient in {entry.patient_id for entry in entries}:
        place[patient] = splits.assign(patient, SALT, fractions)
    return {entry.image_id: place[entry.patient_id] for entry in entries}


def official(entries: list[Entry], train_val: set[str], test: set[str]) -> Split:
    """The published test list; an eighth of the other list's patients for validation.

    Images that neither list names are left out.

    Raises:
        DatasetError: an image or a patient is in both lists.
    """
    both = train_val & test
    if both:
        raise DatasetError(
            f"chestxray14: {min(both)} and {len(both) - 1} more are in train_val_list.txt and in "
            "test_list.txt. Download the two lists again."
        )
    carved = by_patient([e for e in entries if e.image_id in train_val], CARVED)
    patients = {e.patient_id for e in entries if e.image_id in carved}
    for entry in entries:
        if entry.image_id in test and entry.patient_id in patients:
            raise DatasetError(
                f"chestxray14: patient {entry.patient_id} is in train_val_list.txt and, with "
                f"{entry.image_id}, in test_list.txt. Download the two lists again."
            )
    return carved | {e.image_id: "test" for e in entries if e.image_id in test}


def seven(entries: list[Entry]) -> Split:
    """Images whose only label is one of the seven; of No Finding one in fifteen, by salted hash."""
    kept = [e for e in entries if e.only_label in SEVEN and (e.findings or _drawn(e))]
    return by_patient(kept)


def six(entries: list[Entry]) -> Split:
    """Images whose only label is one of the six."""
    return by_patient([e for e in entries if e.only_label in SIX])


def six_balanced(entries: list[Entry]) -> Split:
    """As many images of each of the six classes; which ones, the salted hash of their names says.

    Where a class has too few images in a split, the others are cut to it.
    """
    label_of = {e.image_id: e.only_label for e in entries if e.only_label in SIX}
    pools: dict[str, dict[str, list[str]]]
    pools = {split: {label: [] for label in SIX} for split in splits.SPLITS}
    taken = [e for e in entries if e.image_id in label_of]
    for image_id, split in by_patient(taken, BALANCED_FRACTIONS).items():
        pools[split][label_of[image_id]].append(image_id)
    found: Split = {}
    for split, pool in pools.items():
        total = min(BALANCED[split], len(SIX) * min(map(len, pool.values())))
        for index, images in enumerate(pool.values()):
            quota = total // len(SIX) + (index < total % len(SIX))
            images.sort(key=lambda image_id: splits.position(image_id, SALT))
            found |= dict.fromkeys(images[:quota], split)
    return found


def without_leaks(patients: Mapping[str, Mapping[str, str]]) -> dict[str, set[str]]:
    """Images to remove from each split so that no patient is in two.

    The test split stays as published; validation loses the patients it shares with test, train
    those it shares with either.

    Args:
        patients: split to image to patient.
    """
    removed, held_back = defaultdict(set), set()
    for split in reversed(splits.SPLITS):
        removed[split] = {i for i, patient in patients[split].items() if patient in held_back}
        held_back |= set(patients[split].values())
    return removed


def _drawn(entry: Entry) -> bool:
    return splits.position(entry.image_id, SALT) < NO_FINDING_SHARE
