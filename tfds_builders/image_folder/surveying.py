"""A look at every file: which can be read, which are the same, what DICOM headers say."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from tfds_builders.archives import Folder
from tfds_builders.errors import DatasetError, Unreadable
from tfds_builders.image_folder import boxes, dicom, patients
from tfds_builders.image_folder.contents import Contents, Entry
from tfds_builders.image_folder.options import HEADER, UNKNOWN, Options
from tfds_builders.image_folder.pixels import OwnGate
from tfds_builders.images import silenced
from tfds_builders.ingest_report import IngestReport
from tfds_builders.kermany_pneumonia.patients import merge

_LOOKED_AT = 5
"""Images of a class that are decoded before all others are read."""


@dataclass
class Survey:
    """The images that can be read.

    Attributes:
        entries: the images, with what DICOM headers say of them.
        groups: image -> what must not be torn apart: a patient, or several with a copy in common.
        notes: what was taken for what, to be told.
    """

    entries: list[Entry]
    groups: dict[str, str]
    notes: list[str] = field(default_factory=list)


def survey(
    folder: Folder,
    entries: Sequence[Entry],
    ingest: IngestReport,
    options: Options,
    copies: Sequence[Sequence[str]] = (),
) -> Survey:
    """Read every file once.

    Args:
        folder: where they lie.
        entries: the images.
        ingest: takes the account of those that cannot be read.
        options: whether patients stand in DICOM headers.
        copies: further groups of images that show the same.

    Raises:
        DatasetError: headers are to name the patients, and most do not.
    """
    kept: list[Entry] = []
    by_digest: dict[str, list[str]] = defaultdict(list)
    outside: list[str] = []
    for entry in entries:
        try:
            data = folder.read(entry.image)
            with silenced():
                kept.append(_with_header(entry, data, options))
        except Unreadable as error:
            ingest.refuse(entry.image, str(error))
            continue
        by_digest[hashlib.sha256(data).hexdigest()].append(entry.image)
        outside += [entry.image] if boxes.beside(entry, data) else []
    if options.patients == HEADER and 2 * len(kept) < len(entries):
        raise DatasetError(
            f"image_folder: only {len(kept)} of {len(entries)} files name a patient in their DICOM "
            "header. Say patients in another way."
        )
    kept, notes = _united(kept) if options.patients == HEADER else (kept, [])
    with silenced():
        # Broken files can be equal without showing the same person, e.g. all the empty ones.
        identical = [
            names
            for names in by_digest.values()
            if len(names) > 1 and OwnGate().check(folder.read(names[0])).data is not None
        ]
    told = {entry.image: entry.patient or entry.image for entry in kept}
    present = [[name for name in group if name in told] for group in copies]
    same = [*identical, *filter(None, present)]
    groups = merge(told, same)
    joined = len(set(told.values())) - len(set(groups.values()))
    if joined and options.patients != UNKNOWN:
        notes.append(f"{joined} patients count as one with another: both have the same image")
    notes += boxes.note(outside, sum(bool(entry.boxes) for entry in kept))
    return Survey(kept, groups, notes + _contradictions(kept, same))


def _contradictions(entries: list[Entry], same: list[list[str]]) -> list[str]:
    """A note on images of which a copy has other labels: neither is known to be right."""
    labels = {entry.image: (entry.findings, entry.labelled) for entry in entries}
    found = [group for group in same if len({labels[name] for name in group}) > 1]
    if not found:
        return []
    return [
        f"{len(found)} images are there more than once, with different labels, e.g. "
        f"{' and '.join(found[0][:2])}: all are kept as they are labelled"
    ]


def _united(entries: list[Entry]) -> tuple[list[Entry], list[str]]:
    """Entries with one spelling of each patient, and a note on those that had several."""
    united, notes = patients.united(entry.patient for entry in entries)
    one = [replace(entry, patient=united.get(entry.patient, entry.patient)) for entry in entries]
    return one, [f"DICOM headers: {note}" for note in notes]


def refuse_unusable(folder: Folder, contents: Contents) -> None:
    """Raise a DatasetError where not one of a few images of a class can be used.

    Args:
        folder: where they lie.
        contents: what it holds.
    """
    classes: dict[str, list[str]] = defaultdict(list)
    for entry in contents.entries:
        for name in contents.present(entry) or ["no finding"]:
            classes[name].append(entry.image)
    gate = OwnGate()
    for name, images in sorted(classes.items()):
        few = images[:: -(-len(images) // _LOOKED_AT)]
        with silenced():
            found = [gate.check(_content(folder, image)) for image in few]
        if all(checked.data is None for checked in found):
            raise DatasetError(
                f"image_folder: of {name}, {len(few)} of {len(images)} images were looked at, and "
                f"none can be used, e.g. {few[0]}: {found[0].reason}."
            )


def refuse_nothing_left(found: Survey, folder: Folder, refused: Sequence[dict]) -> None:
    """Raise a DatasetError, with the first reasons, where no image can be used."""
    if not found.entries:
        shown = [f"{entry['file']} ({entry['reason']})" for entry in refused[:3]]
        told = ", ".join(shown + ["..."] * (len(refused) > len(shown)))
        raise DatasetError(
            f"image_folder: no image of {folder.path} can be used. {len(refused)} entries were "
            f"refused: {told}."
        )


def _content(folder: Folder, image: str) -> bytes | Unreadable:
    try:
        return folder.read(image)
    except Unreadable as error:
        return error


def _with_header(entry: Entry, data: bytes, options: Options) -> Entry:
    """An image with what its DICOM header says where the person and the table do not."""
    if not dicom.is_dicom(data):
        if options.patients == HEADER:
            raise Unreadable("no DICOM file, so no header names the patient")
        return entry
    told = dicom.told(data)
    if options.patients == HEADER and not told.patient:
        raise Unreadable("its DICOM header names no patient")
    return replace(
        entry,
        patient=told.patient if options.patients == HEADER else entry.patient,
        sex=entry.sex or told.sex,
        age=entry.age if entry.age >= 0 else told.age,
        view=entry.view or told.view,
    )
