"""The published files, where people have them: a folder or the archive as it was downloaded."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tfds_builders import images
from tfds_builders.errors import LayoutError

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
_JUNK = (".DS_Store", "Thumbs.db", "desktop.ini")


class Unreadable(Exception):
    """One file that cannot be read; the text says why."""


@dataclass(frozen=True)
class RawFolder:
    """An unpacked copy.

    Attributes:
        root: the folder that holds train/ and test/.
    """

    root: Path

    def names(self, pool: str) -> list[str]:
        """Files below one of train, val, test, as ``pool/.../file``, sorted, without junk."""
        found, seen = [], set()
        # Class folders are often links to another disk: followed, but each target only once.
        for folder, below, files in os.walk(self.root / pool, followlinks=True):
            if os.path.realpath(folder) in seen:
                below.clear()
                continue
            seen.add(os.path.realpath(folder))
            found += [Path(folder, file).relative_to(self.root).as_posix() for file in files]
        return sorted(name for name in found if not _is_junk(name))

    def read(self, name: str) -> bytes:
        """Content of one file.

        Raises:
            Unreadable: it cannot be opened, or is too large to be an image.
        """
        path = self.root / name
        try:
            if not path.is_file():
                raise Unreadable("not a regular file")
            if path.stat().st_size > images.MAX_BYTES:
                raise Unreadable(f"too large: {path.stat().st_size} bytes")
            return path.read_bytes()
        except OSError as error:
            raise Unreadable(f"cannot be read: {error.strerror}") from error


@dataclass(frozen=True)
class RawArchive:
    """A zip file, read in place: nothing is ever written to disk, so no member can escape.

    Attributes:
        path: the zip file.
        prefix: what stands before train/ and test/ in the names of its members.
    """

    path: Path
    prefix: str

    def names(self, pool: str) -> list[str]:
        """Files below one of train, val, test, as ``pool/.../file``, sorted, without junk."""
        start = f"{self.prefix}{pool}/"
        members = self._zip.namelist()
        found = {m.removeprefix(self.prefix) for m in members if m.startswith(start)}
        return sorted(name for name in found if not name.endswith("/") and not _is_junk(name))

    def read(self, name: str) -> bytes:
        """Content of one member.

        Raises:
            Unreadable: the member is damaged, encrypted, or too large to be an image.
        """
        member = self._zip.getinfo(self.prefix + name)
        if member.file_size > images.MAX_BYTES:
            raise Unreadable(f"too large: {member.file_size} bytes")
        try:
            return self._zip.read(member)
        except Exception as error:  # zipfile and zlib raise a dozen types for damaged members
            raise Unreadable(f"cannot be unpacked: {error}") from error

    @cached_property
    def _zip(self) -> zipfile.ZipFile:
        return zipfile.ZipFile(self.path)


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
    found = _listing(manual_dir)
    problem = f"does not hold {' and '.join(pools)} images" if found else "is empty"
    raise LayoutError(DATASET, f"{manual_dir} {problem}.", TREE, found)


def _is_junk(name: str) -> bool:
    # What operating systems leave in every folder is no part of anybody's data.
    parts = name.split("/")
    return parts[-1] in _JUNK or parts[-1].startswith("._") or "__MACOSX" in parts


def _candidates(manual_dir: Path) -> Iterator[RawSet]:
    for root in _ROOTS:
        yield RawFolder(manual_dir / root)
    for path in sorted(manual_dir.glob("*.zip")):
        yield from _in_archive(path)


def _in_archive(path: Path) -> Iterator[RawArchive]:
    members = _members(path)
    for root in _ROOTS:
        prefix = f"{root}/" if root else ""
        if any(name.startswith(f"{prefix}train/") for name in members or ()):
            yield RawArchive(path, prefix)


def _members(path: Path) -> list[str] | None:
    """Names in a zip file, None where it is damaged."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.namelist()
    except (zipfile.BadZipFile, OSError):
        return None


def _listing(folder: Path) -> list[str]:
    """What lies in a folder, one level of subfolders included, for an error message."""
    found = []
    _, folders, files = next(os.walk(folder), ("", [], []))
    for name in files:
        damaged = name.endswith(".zip") and _members(folder / name) is None
        found.append(name + (" (damaged, download it again)" if damaged else ""))
    for name in folders:
        _, below, _ = next(os.walk(folder / name), ("", [], []))
        found += [f"{name}/{inner}" for inner in below] or [f"{name}/"]
    return found


def _has_classes(raw: RawSet, pool: str) -> bool:
    names = raw.names(pool)
    return all(any(name.startswith(f"{pool}/{c}/") for name in names) for c in CLASSES)
