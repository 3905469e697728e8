"""Small folders of people's own images, and what is read of them before anything is decoded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image

from tfds_builders.image_folder.contents import Contents, Entry
from tfds_builders.image_folder.options import Options
from tfds_builders.image_folder.reading import read

NAMES = [f"img/{n}.png" for n in range(4)]
"""Of images, for tables to name."""
ONE = {"finding_columns": ("Effusion",)}


def picture(seed: int, side: int = 48) -> np.ndarray:
    """Grey noise in which no two seeds look alike."""
    return np.random.default_rng(seed).integers(0, 256, (side, side), np.uint8)


def write(folder: Path, names: Iterable[str], side: int = 48, first: int = 0) -> Path:
    """An image under each name, no two alike."""
    for seed, name in enumerate(names, first):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture(seed, side)).save(path)
    return folder


def touched(folder: Path, names: Iterable[str]) -> Path:
    """A file of no content under each name: enough where nothing is decoded."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return folder


def looked(folder: Path, **said: object) -> Contents:
    """What a folder is taken for."""
    options = Options(**said)
    options.check()
    return read(folder, options, options.pattern() if options.patient_pattern else None)


def tabled(folder: Path, text: str, **said: object) -> Contents:
    """What a folder with a table is taken for; patients are unknown unless said."""
    (folder / "t.csv").write_text(text, encoding="utf-8")
    ways = ("patient_column", "patient_pattern", "patients")
    unknown = {} if any(way in said for way in ways) else {"patients": "unknown"}
    return looked(folder, **{"csv": "t.csv", "image_column": "file", **unknown, **said})


def by_image(contents: Contents) -> dict[str, Entry]:
    """The entries by the name of their file."""
    return {entry.image: entry for entry in contents.entries}


def in_pools(contents: Contents) -> dict[str, int]:
    """How many images each split of the set's own has."""
    return dict(Counter(entry.pool for entry in contents.entries))


def rows(header: str, *lines: str) -> str:
    """The text of a table."""
    return "\n".join([header, *lines]) + "\n"
