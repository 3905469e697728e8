"""What every layout ends in: films, each with its masks, and what could not be paired."""

from __future__ import annotations

from dataclasses import dataclass, field

from tfds_builders.ingest_report import refusal
from tfds_builders.lung_masks.clinical import UNKNOWN, Person


@dataclass(frozen=True)
class Film:
    """One radiograph with its masks.

    Attributes:
        image_id: unique in the config.
        patient_id: everything with the same id stays in one split.
        image: name of the image file.
        masks: names of the mask files, to be united.
        person: age and sex.
        pairing: how image and mask were matched, where the source says so.
    """

    image_id: str
    patient_id: str
    image: str
    masks: tuple[str, ...]
    person: Person = UNKNOWN
    pairing: str = ""


@dataclass
class Found:
    """Films, and ``{"file", "reason"}`` of the files that belong to none."""

    films: list[Film] = field(default_factory=list)
    refused: list[dict] = field(default_factory=list)

    def refuse(self, file: str, reason: str) -> None:
        """Leave a file out, and say why."""
        self.refused.append(refusal(file, reason))
