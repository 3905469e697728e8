"""The published files, where people have them: a folder or the archive as it was downloaded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tfds_builders.archives import Folder, Zip
from tfds_builders.errors import LayoutError
from tfds_builders.listing import listing, opened

DATASET = "kermany_pneumonia"
CLASSES = ("NORMAL", "PNEUMONIA")
TREE = """\
    chest_xray/                  the manual directory is this folder or the one that holds it
        train/NORMAL/*.jpeg
        train/PNEUMONIA/*.jpeg
        test/NORMAL/*.jpeg       (not needed by the internal configs)
        test/PNEUMONIA/*.jpeg    (not needed by the internal configs)
        val/...                  (Kaggle's 16 images; may be missing)
    or the archive itself, not unpacked: ChestXRay2017.zip (Mendeley Data),
    chest-xray-pneumonia.zip or archive.zip (Kaggle)
"""
_ROOTS = ("", "chest_xray", "chest_xray/chest_xray", "ChestXRay2017/chest_xray")


@dataclass(frozen=True)
class RawFolder:
    """An unpacked copy.

    Attributes:
        root: the folder that holds train/ and test/.
    """

    root: Path

    def names(self, pool: str) -> list[str]:
        """Files below one of train, val, test, as ``pool/.../file``, sorted, without junk."""
        return [f"{pool}/{name}" for name in Folder(self.root / pool).names()]

    def refused(self, pool: str) -> list[dict]:
        """``{"file", "reason"}`` of what lies there under an impossible name."""
        refused = Folder(self.root / pool).refused()
        return [{**entry, "file": f"{pool}/{entry['file']}"} for entry in refused]

    def read(self, name: str) -> bytes:
        """Content of one file.

        Raises:
            Unreadable: it cannot be opened, or is too large to be an image.
        """
        return Folder(self.root).read(name)


@dataclass(frozen=True)
class RawArchive:
    """A zip file, read in place.

    Attributes:
        archive: the zip file.
        prefix: what stands before train/ and test/ in the names of its members.
    """

    archive: Zip
    prefix: str

    def names(self, pool: str) -> list[str]:
        """Files below one of train, val, test, as ``pool/.../file``, sorted, without junk."""
        start = f"{self.prefix}{pool}/"
        found = (name for name in self.archive.names() if name.startswith(start))
        return sorted(name.removeprefix(self.prefix) for name in found)

    def refused(self, pool: str) -> list[dict]:
        """``{"file", "reason"}`` of the members that are not safe to read."""
        start = f"{self.prefix}{pool}/"
        return [entry for entry in self.archive.refused() if entry["file"].startswith(start)]

    def read(self, name: str) -> bytes:
        """Content of one member.

        Raises:
            Unreadable: the member is damaged, or too large to be an image.
        """
        return self.archive.read(self.prefix + name)


RawSet = RawFolder | RawArchive


def locate(manual_dir: Path, pools: tuple[str, ...]) -> RawSet:
    """The raw set in a folder.

    Args:
        manual_dir: what the user pointed at.
        pools: which of ``"train"`` and ``"test"`` have to be there.

    Raises:
        LayoutError: the folder is missing, empty, or holds something else.
    """
    manual_dir = Path(manual_dir)
    if not manual_dir.is_dir():
        raise LayoutError(DATASET, f"there is no folder {manual_dir}.", TREE, [])
    for candidate in _candidates(manual_dir):
        if all(_has_classes(candidate, pool) for pool in pools):
            return candidate
    found = listing(manual_dir)
    problem = f"does not hold {' and '.join(pools)} images" if found else "is empty"
    raise LayoutError(DATASET, f"{manual_dir} {problem}.", TREE, found)


def _candidates(manual_dir: Path) -> Iterator[RawSet]:
    for root in _ROOTS:
        yield RawFolder(manual_dir / root)
    for path in sorted(manual_dir.glob("*.zip")):
        yield from _in_archive(path)


def _in_archive(path: Path) -> Iterator[RawArchive]:
    archive = opened(path)
    if archive is None:
        return
    names = archive.names()
    for root in _ROOTS:
        prefix = f"{root}/" if root else ""
        if any(name.startswith(f"{prefix}train/") for name in names):
            yield RawArchive(archive, prefix)


def _has_classes(raw: RawSet, pool: str) -> bool:
    names = raw.names(pool)
    return all(any(name.startswith(f"{pool}/{c}/") for name in names) for c in CLASSES)
