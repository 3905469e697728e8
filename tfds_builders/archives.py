"""Raw files where people have them: a folder tree, a zip file or a tar.gz file, read in place.

Nothing is ever unpacked or written, so no member can land outside. The three kinds have one
interface::

    source = open_source(path)
    source.names()          safe names of the regular files, "a/b/c.png", in reading order
    source.refused()        {"file", "reason"} of every member that is not handed out
    source.size("a/b.png")  declared bytes
    source.read("a/b.png")  content, or Unreadable
    source.stream(wanted)   (name, content or Unreadable) of the wanted files and of all refused
                            ones, in reading order, one at a time

A gzip stream has no random access: of a tar.gz file each call of ``names``, ``size`` and ``read``
may cost a pass over the file, ``stream`` always costs one at most. Memory holds one file at a
time. What an operating system leaves in folders (``.DS_Store``, ``__MACOSX``) is no part of the
data and is not mentioned.

A member is refused, with the reason, if its name leads out of the archive (``../``, absolute), if
it is a link, a device or encrypted, if its name is that of an earlier one, or if it is a
decompression bomb: more than ``MAX_BYTES``, or ``MAX_RATIO`` times its compressed bytes. Both are
judged by the declared size and again by the bytes that really come.
"""

from __future__ import annotations

import os
import re
import stat
import unicodedata
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Container, Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import IO

from tfds_builders import tarstream
from tfds_builders.errors import DatasetError, Unreadable
from tfds_builders.images import MAX_BYTES
from tfds_builders.tarstream import MAX_RATIO, RATIO_FLOOR

ARCHIVES = (".zip", ".tar.gz", ".tgz", ".tar")
_JUNK = (".DS_Store", "Thumbs.db", "desktop.ini")
_DRIVE = re.compile("[A-Za-z]:")
_CHUNK = 2**20
MAX_NAME = 1000
"""Characters of a name, with its folders; file systems allow 255 for each of these."""

Wanted = Callable[[str], bool]
Content = bytes | Unreadable


def open_source(path: Path) -> Source:
    """The folder, zip or tar file at a path, told apart by what it is called.

    Raises:
        DatasetError: there is nothing, something else, or a damaged archive.
    """
    path = Path(path)
    if path.is_dir():
        return Folder(path)
    if not path.is_file():
        raise DatasetError(f"there is no {path}.")
    if path.name.lower().endswith(".zip"):
        return Zip(path)
    if path.name.lower().endswith(ARCHIVES):
        return Tar(path)
    raise DatasetError(f"{path} is neither a folder nor one of {', '.join(ARCHIVES)}.")


def is_junk(name: str) -> bool:
    """True for what operating systems leave in every folder and archive."""
    parts = name.split("/")
    return parts[-1] in _JUNK or parts[-1].startswith("._") or "__MACOSX" in parts


def safe_name(name: str) -> str:
    """A member's name as ``a/b/c``, however it was written.

    Raises:
        Unreadable: the name is empty, too long, is no UTF-8 text, holds control characters, or
            leads out of the archive.
    """
    name = name.replace("\\", "/")
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if not parts or "\0" in name:
        raise Unreadable("no file name")
    if len(name) > MAX_NAME:
        raise Unreadable(f"a name of {len(name)} characters")
    if any(map(_is_control, name)):
        raise Unreadable("control characters in the name")
    if name.startswith("/") or _DRIVE.fullmatch(parts[0]):
        raise Unreadable("an absolute path")
    if ".." in parts:
        raise Unreadable("a path that leads out of the archive")
    try:
        name.encode()
    except UnicodeEncodeError:
        raise Unreadable("name is no UTF-8 text") from None
    return "/".join(parts)


class Source(ABC):
    """What the three kinds share; see the head of the module.

    Attributes:
        path: the folder or archive.
    """

    def __init__(self, path: Path):
        self.path = Path(path)

    def __reduce__(self) -> tuple:
        return type(self), (self.path,)  # another process opens it anew

    def names(self) -> list[str]:
        """Names of the files that can be asked for."""
        return list(self._index[0])

    def refused(self) -> list[dict]:
        """``{"file", "reason"}`` of the members that can not."""
        return [{"file": name, "reason": str(why)} for name, why in self._index[1]]

    def size(self, name: str) -> int:
        """Bytes of one file, as declared.

        Raises:
            Unreadable: there is none of that name.
        """
        return self._entry(name)[0]

    @abstractmethod
    def read(self, name: str, limit: int = MAX_BYTES) -> bytes:
        """Content of one file.

        Args:
            name: one of ``names()``.
            limit: largest number of bytes accepted.

        Raises:
            Unreadable: missing, damaged, encrypted, or too large.
        """

    def stream(self, wanted: Wanted, limit: int = MAX_BYTES) -> Iterator[tuple[str, Content]]:
        """Files one after another, in the order in which they are cheap to read.

        Args:
            wanted: asked once for every name; files it turns down are not read.
            limit: largest number of bytes accepted for one file.

        Yields:
            Name and content, or name and ``Unreadable``; every refused member as well.
        """
        yield from self._index[1]
        for name in self._index[0]:
            if wanted(name):
                yield name, _attempt(self.read, name, limit)

    def files(self, names: Iterable[str]) -> Iterator[tuple[str, Content]]:
        """These files, each once, with their content or why there is none."""
        for name in names:
            yield name, _attempt(self.read, name)

    @cached_property
    def _index(self) -> tuple[dict[str, tuple], list[tuple[str, Unreadable]]]:
        """Name to (size, ...) of the good members, and the refused ones with the reason."""
        good: dict[str, tuple] = {}
        refused = []
        for name, entry, problem in self._members():
            if is_junk(name):
                continue
            try:
                good[_admitted(name, problem, good)] = entry
            except Unreadable as error:
                refused.append((_shown(name), error))
        return good, refused

    def _entry(self, name: str) -> tuple:
        if name not in self._index[0]:
            raise Unreadable(f"there is no {name} in {self.path.name}")
        return self._index[0][name]

    @abstractmethod
    def _members(self) -> Iterator[tuple[str, tuple, str]]:
        """Name as written, (size, ...), and what is wrong with the member or ""."""


class Folder(Source):
    """An unpacked copy; names are sorted.

    Linked folders are followed, each target once, by the first of its paths; others are refused.
    """

    def read(self, name: str, limit: int = MAX_BYTES) -> bytes:
        """Content of one file."""
        path = self.path / safe_name(name)
        try:
            if not path.is_file():
                raise Unreadable("not a regular file")
            with path.open("rb") as file:
                data = file.read(limit + 1)
            if len(data) > limit:
                raise Unreadable(f"too large: {path.stat().st_size} bytes")
            return data
        except OSError as error:
            raise Unreadable(f"cannot be read: {error.strerror}") from error

    def _members(self) -> Iterator[tuple[str, tuple, str]]:
        for name, problem in sorted(self._walk()):
            # A backslash is an ordinary character here, but a separator in every other source.
            yield name, (), problem or ("a backslash in the name" if "\\" in name else "")

    def _walk(self) -> Iterator[tuple[str, str]]:
        """Path of every file, and of folders that are not entered, with why not."""
        seen = set()
        closed: list[OSError] = []
        for folder, below, files in os.walk(self.path, onerror=closed.append, followlinks=True):
            below.sort()  # the order of a disk must not decide which path is the first
            here = Path(folder).relative_to(self.path)
            target = os.path.realpath(folder)
            if target in seen:
                below.clear()
                yield here.as_posix(), "a folder that is read already, by another path"
                continue
            seen.add(target)
            yield from (((here / file).as_posix(), "") for file in files)
        for error in closed:
            if isinstance(error, FileNotFoundError):
                continue  # an optional folder: who needs it says so
            name = Path(error.filename).relative_to(self.path).as_posix()
            yield name, f"a folder that cannot be read: {error.strerror}"

    def size(self, name: str) -> int:
        """Bytes of one file."""
        try:
            return (self.path / safe_name(name)).stat().st_size
        except OSError as error:
            raise Unreadable(f"cannot be read: {error.strerror}") from error


class Zip(Source):
    """A zip file; names in the order of its directory.

    Raises:
        DatasetError: the file is damaged.
    """

    def __init__(self, path: Path):
        super().__init__(path)
        try:
            self._zip = zipfile.ZipFile(self.path)
        except Exception as error:  # a damaged directory raises nearly anything
            raise DatasetError(
                f"{self.path} is damaged ({error or type(error).__name__}); download it again."
            ) from error

    def read(self, name: str, limit: int = MAX_BYTES) -> bytes:
        """Content of one member."""
        size, info = self._entry(name)
        if size > limit:
            raise Unreadable(f"too large: {size} bytes")
        largest = min(limit, max(RATIO_FLOOR, MAX_RATIO * info.compress_size))
        if size > largest:
            raise Unreadable(f"{size} bytes from {info.compress_size}: a decompression bomb")
        try:
            with self._zip.open(info) as member:
                return _bounded(member, largest)
        except Unreadable:
            raise
        except Exception as error:  # zipfile and zlib raise a dozen types for damaged members
            reason = str(error) or type(error).__name__
            raise Unreadable(f"cannot be unpacked: {reason}") from error

    def _members(self) -> Iterator[tuple[str, tuple, str]]:
        for info in self._zip.infolist():
            if not info.is_dir():
                yield info.filename, (info.file_size, info), _problem(info)


class Tar(Source):
    """A tar.gz or tar file; names in the order of the archive."""

    def read(self, name: str, limit: int = MAX_BYTES) -> bytes:
        """Content of one member, at the price of a pass up to it."""
        for found, content in self.stream(name.__eq__, limit):
            if found == name:
                if isinstance(content, Unreadable):
                    raise content
                return content
        raise Unreadable(f"there is no {name} in {self.path.name}")

    def stream(self, wanted: Wanted, limit: int = MAX_BYTES) -> Iterator[tuple[str, Content]]:
        """Members in one pass; damage ends it with an entry under the archive's own name."""
        seen: set[str] = set()
        for name, _, problem, content in tarstream.members(self.path):
            if is_junk(name):
                continue
            try:
                safe = _admitted(name, problem, seen)
            except Unreadable as error:
                yield _shown(name), error
                continue
            seen.add(safe)
            if wanted(safe):
                yield safe, _attempt(content, limit)

    def files(self, names: Iterable[str]) -> Iterator[tuple[str, Content]]:
        """These files in one pass, which ends behind the last of them."""
        left: dict[str, Content] = {name: Unreadable("not met again") for name in names}
        for name, content in self.stream(left.__contains__) if left else ():
            if isinstance(content, bytes):
                del left[name]
                yield name, content
                if not left:
                    return
            elif name in left:
                left[name] = content
        yield from left.items()

    def _members(self) -> Iterator[tuple[str, tuple, str]]:
        for name, size, problem, _ in tarstream.members(self.path):
            yield name, (size,), problem


def _admitted(name: str, problem: str, earlier: Container[str]) -> str:
    """The safe name of a member; raises Unreadable where it is not handed out."""
    if problem:
        raise Unreadable(problem)
    safe = safe_name(name)
    if safe in earlier:
        raise Unreadable("a second member of this name; the first one is used")
    return safe


def _shown(name: str) -> str:
    """A name that was refused, fit to be shown to a person."""
    letters = ("\ufffd" if _is_control(letter) else letter for letter in name[:MAX_NAME])
    return "".join(letters)


def _is_control(letter: str) -> bool:
    return unicodedata.category(letter) == "Cc"


def _attempt(read: Callable[..., bytes], *arguments: object) -> Content:
    try:
        return read(*arguments)
    except Unreadable as error:
        return error


def _bounded(file: IO[bytes], largest: int) -> bytes:
    """Everything in a file, in steps, so that a lie about its size costs one step at most."""
    parts, total = [], 0
    while part := file.read(_CHUNK):
        parts.append(part)
        total += len(part)
        if total > largest:
            raise Unreadable(f"more than {largest} bytes: a decompression bomb")
    return b"".join(parts)


def _problem(info: zipfile.ZipInfo) -> str:
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind == stat.S_IFLNK:
        return "a link"
    if kind not in (0, stat.S_IFREG):
        return "a device, or no file at all"
    if info.flag_bits & 0x1:
        return "encrypted"
    # The others have no bound on what one read step may expand to.
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return f"compressed by an unusual method ({info.compress_type}); pack it again"
    return ""
