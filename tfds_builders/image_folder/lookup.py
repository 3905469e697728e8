"""Which files a cell of a table means: a path, the end of it, a name, or a folder of few."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable
from itertools import takewhile
from pathlib import PurePosixPath

from tfds_builders.errors import Unreadable, quoted
from tfds_builders.image_folder.names import is_picture

_MOST_OF_A_STUDY = 20
"""Images of a folder that one row may be about."""


class Missing(Unreadable):
    """No file is called so."""


class Several(Unreadable):
    """More than one file is called so.

    Attributes:
        names: of these files.
    """

    def __init__(self, said: str, names: list[str]):
        super().__init__(f"{quoted(said)} may be {' or '.join(names[:3])}; give the path")
        self.names = names


class Files:
    """Looks names up among the files that are there; opens none.

    Names are the same in every Unicode form (a disc may store other bytes for an umlaut than a
    table) and, where no other file is called so, in other case. A path that begins elsewhere is
    met by its longest end that only one file has, with the extension or, where none is, without;
    a number also where a spreadsheet dropped the zeros in front of it.

    ``p3/2.png`` is not met by ``p2/2.png``: folders may only be missing at the beginning of a path
    where every path of the table has them, or above a file where all files here have them. And a
    file that one row names outright is no other row's.

    Tables of studies (MIMIC-CXR) name folders: ``50414267`` is all images in ``p1/s50414267``.

    Args:
        names: of the files.
        pictures: tells those that promise an image.
        said: every cell that will be looked up.
        unread: files of folders that are never read, for messages.
    """

    def __init__(
        self,
        names: Iterable[str],
        pictures: Callable[[str], bool],
        said: Iterable[str] = (),
        unread: Iterable[str] = (),
    ):
        names = list(names)
        self._unread = set(map(_told, unread))
        self._whole = {_told(name): name for name in names}
        paths = {path for each in said if (path := _path(each))}
        self._taken = {self._whole[path] for path in paths if path in self._whole}
        self._begin = _in_common(paths)
        images = {name: _told(name) for name in names if pictures(name)}
        self._inside: dict[str, list[str]] = defaultdict(list)
        self._files = _ByEnd(_in_common(images.values()))
        for name, told in images.items():
            self._files.add(name, told, (_as_it_is, _bare, _numbered))
            self._inside[told.rpartition("/")[0]].append(name)
        self._folders = _ByEnd(_in_common(self._inside))
        for folder in filter(None, self._inside):
            self._folders.add(folder, folder, (_as_it_is, _without_letters))

    def find(self, said: str) -> list[str]:
        """The file, or all of a folder.

        Raises:
            Missing: there is none.
            Several: there are several of the name.
            Unreadable: it is a folder of many.
        """
        told = _path(said)
        if told in self._whole:
            return [self._whole[told]]
        for spelled in (_as_it_is, _bare, _numbered):
            for left_out, end in enumerate(map(spelled, _ends(told))):
                met = self._files.met(end, anywhere=left_out <= self._begin) - self._taken
                if found := _one(said, end, met):
                    return [found]
        for left_out, end in enumerate(_ends(told)):
            met = self._folders.met(end, anywhere=left_out <= self._begin)
            if folder := _one(said, end, met):
                return self._all_of(said, folder)
        if told in self._unread:
            raise Missing(
                f"{quoted(said)} lies in a folder that is never read, because programs leave such "
                "folders: give it another name"
            )
        raise Missing(f"there is no file {quoted(said)}{self._alike(told)}")

    def _all_of(self, said: str, folder: str) -> list[str]:
        if len(self._inside[folder]) > _MOST_OF_A_STUDY:
            raise Unreadable(f"{quoted(said)} is a folder of {len(self._inside[folder])} images")
        return self._inside[folder]

    def _alike(self, told: str) -> str:
        """Which file has the name, and why it is not meant."""
        alike = sorted(self._files.met(_ends(told)[-1], anywhere=True))
        if not alike:
            return ""
        why = "another row names it" if alike[0] in self._taken else "it lies in another folder"
        return f"; {alike[0]} is called alike, but {why}"


class _ByEnd:
    """Paths by their ends.

    Args:
        begin: folders with which all of them begin.
    """

    def __init__(self, begin: int):
        self._begin = begin
        self._anywhere: dict[str, set[str]] = defaultdict(set)
        self._near: dict[str, set[str]] = defaultdict(set)

    def add(self, name: str, told: str, spellings: Iterable[Callable[[str], str]]) -> None:
        """Let a path be met by its ends in these spellings."""
        for left_out, end in enumerate(_ends(told.casefold())):
            for spelled in filter(None, {spelling(end) for spelling in spellings}):
                self._anywhere[spelled].add(name)
                if left_out <= self._begin:
                    self._near[spelled].add(name)

    def met(self, end: str, *, anywhere: bool) -> set[str]:
        """The paths with this end, wherever they are, or only where nothing else tells them."""
        return (self._anywhere if anywhere else self._near).get(end.casefold(), set())


def _in_common(paths: Iterable[str]) -> int:
    """With how many equal folders all paths begin."""
    above = [path.casefold().split("/")[:-1] for path in paths]
    first, last = min(above, default=[]), max(above, default=[])
    return len(list(takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False))))


def _one(said: str, end: str, names: Iterable[str]) -> str:
    """The only one, or the only one in this case; "" where there is none."""
    found = sorted(names)
    if len(found) > 1:
        found = [n for n in found if end in (*_ends(_told(n)), *_ends(_bare(_told(n))))] or found
    if len(found) > 1:
        raise Several(said, found)
    return found[0] if found else ""


def _path(said: str) -> str:
    return _told(said.replace("\\", "/"))


def _told(name: str) -> str:
    return unicodedata.normalize("NFC", name.strip()).removeprefix("./").strip("/")


def _ends(name: str) -> list[str]:
    """The path, and what is left of it without its first folders."""
    parts = name.split("/")
    return ["/".join(parts[k:]) for k in range(len(parts))]


def _as_it_is(end: str) -> str:
    return end


def _bare(name: str) -> str:
    return name[: -len(PurePosixPath(name).suffix)] if is_picture(name) else name


def _numbered(name: str) -> str:
    """What numbers as names have in common, e.g. ``00012.png``, ``12`` and ``12.0``; else ""."""
    folder, slash, last = name.casefold().rpartition("/")
    match = re.fullmatch(r"0*([0-9]+)(?:\.0)?", _bare(last))
    return f"{folder}{slash}#{match[1]}" if match else ""


def _without_letters(folder: str) -> str:
    """The number of a study in the name of its folder; "" where there is none."""
    match = re.fullmatch("[a-z]+([0-9]+)", folder)
    return match[1] if match else ""
