"""Reading and checking a film with its masks."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from PIL import Image

from tfds_builders.errors import Unreadable
from tfds_builders.images import Checked, Gate
from tfds_builders.ingest_report import Item
from tfds_builders.lung_masks import pixels
from tfds_builders.lung_masks.raw_files import RawFiles

Files = tuple[bytes, list[bytes]]
"""Content of an image file, and of the files of its masks."""


@dataclass(frozen=True)
class CheckedFilm(Checked):
    """Outcome for one film.

    Attributes:
        mask: PNG of the united masks, None where the film is refused.
    """

    mask: bytes | None = None


def read(raw_files: RawFiles, items: Iterable[Item]) -> Iterator[tuple[Item, Files | Unreadable]]:
    """Every film with its files, or with Unreadable where one of them is."""
    for item in items:
        film = item.facts
        try:
            yield item, (raw_files.read(film.image), [raw_files.read(name) for name in film.masks])
        except Unreadable as error:
            yield item, error


def check(
    image_gate: Gate, mask_gate: Gate, ignore: bool, item: Item, files: Files | Unreadable
) -> CheckedFilm:
    """Image and mask as they enter the set, or why one of them is unusable."""
    try:
        if isinstance(files, Unreadable):
            raise files
        image, how = _image(image_gate, item.name, files[0])
        mask, done = pixels.lung_mask(files[1], _shape(image), ignore=ignore, gate=mask_gate)
    except Unreadable as error:
        return CheckedFilm(None, str(error))
    return CheckedFilm(image, ", ".join(reason for reason in (how, done) if reason), mask=mask)


def _image(gate: Gate, name: str, data: bytes) -> tuple[bytes, str]:
    if name.upper().endswith(".IMG"):
        return pixels.film(data), "raw 12-bit film turned around, to 16-bit PNG"
    checked = gate.check(data)
    if checked.data is None:
        raise Unreadable(checked.reason)
    return checked.data, checked.reason


def _shape(image: bytes) -> tuple[int, int]:
    width, height = Image.open(io.BytesIO(image)).size  # reads the header only
    return height, width
