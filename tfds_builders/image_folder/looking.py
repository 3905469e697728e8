"""What would be prepared from a folder, told in seconds: a few images of each class are decoded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tfds_builders.archives import Folder
from tfds_builders.image_folder import boxes
from tfds_builders.image_folder.members import dealt_splits, members_of
from tfds_builders.image_folder.options import HEADER, Options
from tfds_builders.image_folder.reading import read
from tfds_builders.image_folder.surveying import (
    Survey,
    refuse_nothing_left,
    refuse_unusable,
    survey,
)
from tfds_builders.ingest_report import IngestReport

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Look:
    """What was seen.

    Attributes:
        kind: of the task.
        lines: image_id, patient_id, split, and of each finding ``target:`` and ``labelled:``.
        split_source: who makes the split.
        dealt: the splits between which images are dealt out.
        refused: ``{"file", "reason"}`` of what would be left out.
        notes: what was taken for what.
    """

    kind: str
    lines: pd.DataFrame
    split_source: str
    dealt: list[str]
    refused: list[dict]
    notes: list[str]


def look(folder: Path, options: Options) -> Look:
    """Read names, table and, where these name the patients, DICOM headers.

    Raises:
        DatasetError: it could not be prepared so.
    """
    import pandas as pd

    contents = read(folder, options, options.pattern() if options.patient_pattern else None)
    files = Folder(folder)
    refuse_unusable(files, contents)
    ingest = IngestReport(quarantined=[*files.refused(), *contents.refused])
    if options.patients == HEADER:
        found = survey(files, contents.entries, ingest, options)
    else:
        groups = {entry.image: entry.patient or entry.image for entry in contents.entries}
        found = Survey(contents.entries, groups, boxes.look(files, contents.entries))
    refuse_nothing_left(found, files, ingest.quarantined)
    members, source = members_of(found, options)
    lines = [
        {
            "image_id": entry.image,
            "patient_id": found.groups[entry.image],
            "split": split,
            **{f"target:{f}": v for f, v in zip(contents.findings, entry.findings, strict=True)},
            **{f"labelled:{f}": v for f, v in zip(contents.findings, entry.labelled, strict=True)},
        }
        for split, entries in members.items()
        for entry in entries
    ]
    notes = [*contents.notes, *found.notes]
    dealt = dealt_splits(found, options)
    return Look(contents.kind, pd.DataFrame(lines), source, dealt, ingest.quarantined, notes)
