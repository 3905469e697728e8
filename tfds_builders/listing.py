"""What lies in a folder, for the message that it is not what was expected."""

from __future__ import annotations

import os
from pathlib import Path

from tfds_builders.archives import Zip, is_junk
from tfds_builders.errors import DatasetError

DAMAGED = " (damaged, download it again)"

_INSIDE = 3  # names of one folder; thousands of images must not hide what lies beside them


def listing(folder: Path) -> list[str]:
    """Names of files, and of folders with some of what they hold.

    Zip files that cannot be opened are marked, as they are why nothing was found. A folder that may
    not be read counts as empty.
    """
    found = []
    _, folders, files = next(os.walk(folder), ("", [], []))
    for name in filter(_is_data, files):
        found.append(name + (DAMAGED if is_damaged(folder / name) else ""))
    for name in folders:
        _, below, inside = next(os.walk(folder / name), ("", [], []))
        inner = sorted(filter(_is_data, (*below, *inside)))
        found += [f"{name}/{each}" for each in inner[:_INSIDE]] or [f"{name}/"]
        found += [f"{name}/... ({len(inner) - _INSIDE:,} more)"] if len(inner) > _INSIDE else []
    return found


def _is_data(name: str) -> bool:
    return not is_junk(name)


def is_damaged(path: Path) -> bool:
    """True for a zip file that cannot be opened."""
    return path.name.lower().endswith(".zip") and opened(path) is None


def opened(path: Path) -> Zip | None:
    """A zip file, None where it is damaged."""
    try:
        return Zip(path)
    except DatasetError:
        return None
