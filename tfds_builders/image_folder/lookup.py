"""Which files a cell of a table means: a path, the end of it, a name, or a folder of few."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import PurePosixPath

from tfds_builders.errors import Unreadable, quoted
from tfds_builders.image_folder.names import is_picture

_MOST_OF_A_STUDY = 20
"""Images of a folder that one row may be about."""


class Missing(Unreadable):
    """No file is called so."""


class Files:
    """Looks names up among the files that are there; opens none.

    Names are the same in every Unicode form (a disc may store other bytes for an umlaut than a
    table) and, where no other file is called so, in other case. A path that begins elsewhere is
    met by its longest end that only one file has, with the extension or, where none is, without;
    a number also where a spreadsheet dropped the zeros in front of it.

    Tables of studies (MIMIC-CXR) name folders: ``50414267`` is all images in ``p1/s50414267``.
    """

    def __init__(self, names: Iterable[str], pictures: Callable[[str], bool]):
        self._ends: dict[str, list[str]] = defaultdict(list)
        self._folders: dict[str, list[str]] = defaultdict(list)
        self._inside: dict[str, list[str]] = defaultdict(list)
        self._whole: dict[str, str] = {}
        for name in names:
            told = _told(name)
            self._whole[told] = name
            if not pictures(name):
                continue
            for end in _ends(told.casefold()):
                self._ends[end].append(name)
                self._ends[_bare(end)].append(name)
            if number := _number(told):
                self._ends[number].append(name)
            self._inside[told.rpartition("/")[0]].append(name)
        for folder in filter(None, self._inside):
            for end in _ends(folder.casefold()):
                self._folders[end].append(folder)
            if lettered := re.fullmatch("[a-z]+([0-9]+)", folder.casefold().rpartition("/")[2]):
                self._folders[lettered[1]].append(folder)

    def find(self, said: str) -> list[str]:
        """The file, or all of a folder.

        Raises:
            Missing: there is none.
            Unreadable: there are several of the name.
        """
        told = _told(said.replace("\\", "/"))
        if told in self._whole:
            return [self._whole[told]]
        ends = _ends(told)
        for end in [*ends, *map(_bare, ends), *filter(None, [_number(told)])]:
            if found := _one(said, end, self._ends.get(end.casefold(), ())):
                return [found]
        for end in ends:
            if folder := _one(said, end, self._folders.get(end.casefold(), ())):
                return self._all_of(said, folder)
        raise Missing(f"there is no file {quoted(said)}")

    def _all_of(self, said: str, folder: str) -> list[str]:
        if len(self._inside[folder]) > _MOST_OF_A_STUDY:
            raise Unreadable(f"{quoted(said)} is a folder of {len(self._inside[folder])} images")
        return self._inside[folder]


def _one(said: str, end: str, names: Iterable[str]) -> str:
    """The only one, or the only one in this case; "" where there is none."""
    found = sorted(set(names))
    if len(found) > 1:
        found = [n for n in found if end in (*_ends(_told(n)), *_ends(_bare(_told(n))))] or found
    if len(found) > 1:
        raise Unreadable(f"{quoted(said)} may be {' or '.join(found[:3])}; give the path")
    return found[0] if found else ""


def _told(name: str) -> str:
    return unicodedata.normalize("NFC", name.strip()).removeprefix("./").strip("/")


def _ends(name: str) -> list[str]:
    """The path, and what is left of it without its first folders."""
    parts = name.split("/")
    return ["/".join(parts[k:]) for k in range(len(parts))]


def _bare(name: str) -> str:
    return name[: -len(PurePosixPath(name).suffix)] if is_picture(name) else name


def _number(name: str) -> str:
    """What numbers as names have in common, e.g. ``00012.png``, ``12`` and ``12.0``."""
    match = re.fullmatch(r"0*([0-9]+)(?:\.0)?", _bare(name.rpartition("/")[2].casefold()))
    return f"#{match[1]}" if match else ""
