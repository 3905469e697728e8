"""Which file a cell of a table means: its path, the end of it, or its name."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import PurePosixPath

from tfds_builders.errors import Unreadable
from tfds_builders.image_folder.names import is_picture


class Missing(Unreadable):
    """No file is called so."""


class Files:
    """Looks names up among the files that are there; opens none.

    Names are the same in every Unicode form (a disc may store other bytes for an umlaut than a
    table). A path that begins elsewhere is met by its longest end that only one file has, with
    the extension or, where none is, without.
    """

    def __init__(self, names: Iterable[str], pictures: Callable[[str], bool]):
        self._ends: dict[str, list[str]] = defaultdict(list)
        self._whole: dict[str, str] = {}
        for name in names:
            told = _told(name)
            self._whole[told] = name
            for end in _ends(told) if pictures(name) else ():
                self._ends[end].append(name)
                self._ends[_bare(end)].append(name)

    def find(self, said: str) -> str:
        """The file.

        Raises:
            Missing: there is none.
            Unreadable: there are several.
        """
        told = _told(said.replace("\\", "/"))
        if told in self._whole:
            return self._whole[told]
        for end in [*_ends(told), *map(_bare, _ends(told))]:
            found = sorted(set(self._ends.get(end, ())))
            if len(found) == 1:
                return found[0]
            if found:
                raise Unreadable(f"{said!r} may be {' or '.join(found[:3])}; give the path")
        raise Missing(f"there is no file {said!r}")


def _told(name: str) -> str:
    return unicodedata.normalize("NFC", name.strip()).removeprefix("./").strip("/")


def _ends(name: str) -> list[str]:
    """The path, and what is left of it without its first folders."""
    parts = name.split("/")
    return ["/".join(parts[k:]) for k in range(len(parts))]


def _bare(name: str) -> str:
    return name[: -len(PurePosixPath(name).suffix)] if is_picture(name) else name
