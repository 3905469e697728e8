"""Boxes of a table beside the images that they are drawn on."""

from __future__ import annotations

import io
from collections.abc import Sequence

from PIL import Image

from tfds_builders.archives import Folder
from tfds_builders.errors import Unreadable
from tfds_builders.image_folder import dicom
from tfds_builders.image_folder.contents import Entry
from tfds_builders.images import FORMATS, silenced

_LOOKED_AT = 100
"""Images with boxes that are opened for a look."""


def beside(entry: Entry, data: bytes) -> bool:
    """Whether a box of an image lies wholly outside it; no where its size cannot be told."""
    if not entry.boxes:
        return False
    try:
        width, height = _size(data)
    except Exception:  # a broken file raises nearly anything
        return False
    return any(left >= width or top >= height for _, left, top, *_ in entry.boxes)


def look(folder: Folder, entries: Sequence[Entry]) -> list[str]:
    """A note on boxes outside their images, by some of the images that have any."""
    boxed = [entry for entry in entries if entry.boxes]
    few = boxed[:: -(-len(boxed) // _LOOKED_AT) or 1]
    return note([entry.image for entry in few if _is_beside(folder, entry)], len(few))


def note(outside: Sequence[str], looked_at: int) -> list[str]:
    """What is said of the images that have boxes outside; nothing where none has."""
    if not outside:
        return []
    return [
        f"in {len(outside):,} of {looked_at:,} images with boxes one lies wholly outside, e.g. of "
        f"{outside[0]}: are they in pixels of these files?"
    ]


def _is_beside(folder: Folder, entry: Entry) -> bool:
    try:
        return beside(entry, folder.read(entry.image))
    except Unreadable:
        return False


def _size(data: bytes) -> tuple[int, int]:
    """Width and height in pixels, as the header says."""
    with silenced():
        if dicom.is_dicom(data):
            return dicom.size(data)
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            return image.size
