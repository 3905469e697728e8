"""The files where people have them: numbered zip files, an unpacked tree, one folder, or a mix."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath

from tfds_builders import archives
from tfds_builders.errors import DatasetError, LayoutError, Unreadable
from tfds_builders.listing import listing

DATASET = "padchest"
TABLE = "PADCHEST_chest_x_ray_images_labels_160K_01.02.19.csv"
TREE = f"""\
    {TABLE}
                              (or the same with .gz behind it)
    0.zip 1.zip ... 54.zip    as downloaded, read in place
    0/*.png 1/*.png ...       or unpacked
    *.png                     or all images in one folder
    Zip files and images may also lie in a folder images/, and kinds may be mixed. Any part of
    the images will do; the table has to be complete.
"""
_PUBLISHED = "padchest_chest_x_ray_images_labels"
_TABLES = (".csv", ".csv.gz")


@dataclass(frozen=True)
class RawSet:
    """A copy of the set.

    Attributes:
        table: the CSV file.
        folder: the manual directory, in which unpacked images are looked for at any depth.
        zips: zip files, by number.
    """

    table: Path
    folder: Path
    zips: tuple[Path, ...]

    def __reduce__(self) -> tuple:
        return RawSet, (self.table, self.folder, self.zips)  # another process looks for itself

    def read(self, image_id: str) -> bytes:
        """Content of one image.

        Raises:
            Unreadable: it is not there, or damaged.
        """
        return self.images.read(image_id)

    @cached_property
    def images(self) -> Images:
        """What images there are; walks the folder and reads the directories of the zip files."""
        images = Images()
        images.add(archives.Folder(self.folder))
        for path in self.zips:
            try:
                images.add(archives.Zip(path))
            except DatasetError as error:
                images.refused.append((path.name, str(error)))
        return images


@dataclass
class Images:
    """Where each image is, in the order in which they are cheap to read.

    Attributes:
        places: file name to its source and its name there; an unpacked one goes first.
        refused: name and reason of what lies among the images and is none.
    """

    places: dict[str, tuple[archives.Source, str]] = field(default_factory=dict)
    refused: list[tuple[str, str]] = field(default_factory=list)

    def add(self, source: archives.Source) -> None:
        """Take up all that a folder or zip file holds."""
        names = source.names()
        beside = {PurePosixPath(name).parent for name in names if _is_image(name)}
        for name in names:
            path = PurePosixPath(name)
            if _is_image(name):
                self.places.setdefault(path.name, (source, name))
            elif path.parent in beside and not name.lower().endswith((*_TABLES, ".zip")):
                self.refused.append((name, "not named as an image of the set"))
        self.refused += [(one["file"], one["reason"]) for one in source.refused()]

    def read(self, image_id: str) -> bytes:
        """Content of one image.

        Raises:
            Unreadable: it is not there, or damaged.
        """
        if image_id not in self.places:
            raise Unreadable("not in this copy")
        source, name = self.places[image_id]
        return source.read(name)


def locate(manual_dir: Path) -> RawSet:
    """The raw set in a folder.

    Raises:
        LayoutError: the folder is missing, empty, or has no table or no images.
    """
    manual_dir = Path(manual_dir)
    if not manual_dir.is_dir():
        raise LayoutError(DATASET, f"there is no folder {manual_dir}.", TREE, [])
    table = _table(manual_dir)
    zips = sorted(
        (p for below in ("", "images") for p in (manual_dir / below).glob("*.zip")), key=_number
    )
    if not zips and not _has_image(manual_dir):
        problem = f"{manual_dir} holds the table, but no zip file and no PNG image."
        raise LayoutError(DATASET, problem, TREE, listing(manual_dir))
    return RawSet(table, manual_dir, tuple(zips))


def _table(folder: Path) -> Path:
    """The published table; another single CSV file is taken for a renamed one."""
    found = sorted(p for p in folder.iterdir() if p.name.lower().endswith(_TABLES) and p.is_file())
    published = [path for path in found if path.name.lower().startswith(_PUBLISHED)]
    if published:
        return published[0]
    if len(found) == 1:
        return found[0]
    found_there = listing(folder)
    problem = "is empty" if not found_there else "does not hold the table"
    if found:
        problem = f"holds {len(found)} CSV files, none of them named as the published table"
    raise LayoutError(DATASET, f"{folder} {problem}.", TREE, found_there)


def _number(path: Path) -> tuple:
    digits = re.match("[0-9]+", path.name)
    return (int(digits[0]) if digits else 10**6, path.name)


def _is_image(name: str) -> bool:
    return name.lower().endswith(".png")


def _has_image(folder: Path) -> bool:
    walk = os.walk(folder, followlinks=True)
    return any(_is_image(name) for _, _, files in walk for name in files)
