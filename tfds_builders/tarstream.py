"""A tar or tar.gz file as a stream of members, safe against damage and decompression bombs."""

from __future__ import annotations

import io
import tarfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, Self

from tfds_builders.errors import Unreadable

MAX_RATIO = 200
"""Most bytes that one compressed byte may become; images and tables stay below 20."""

RATIO_FLOOR = 16 * 2**20
"""Bytes below which nobody is harmed and no ratio is looked at."""

_CHUNK = 2**18
_GZIP = b"\x1f\x8b"
_MAX_NOTE = 2**20
_NOTES = (*tarfile.GNU_TYPES[:2], tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE)

Member = tuple[str, int, str, Callable[[int], bytes]]


class Inflated(io.RawIOBase):
    """Bytes of a gzip file, or of a plain file as they are, read forwards.

    Args:
        file: opened for binary reading; closed with this.

    Attributes:
        is_plain: whether they are taken as they are.

    Raises:
        Unreadable: on reading, where the gzip data is damaged, cut short or a bomb.
    """

    def __init__(self, file: BinaryIO):
        self._file = file
        head = file.read(2)
        file.seek(0)
        self.is_plain = head != _GZIP
        self._zlib = zlib.decompressobj(wbits=31)
        self._pending = b""
        self._taken = self._given = 0

    def readable(self) -> bool:
        """True."""
        return True

    def close(self) -> None:
        """Close the file below."""
        self._file.close()
        super().close()

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer as far as one step goes."""
        data = self._file.read(len(buffer)) if self.is_plain else self._step(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def _step(self, size: int) -> bytes:
        data = b""
        while not data and size:
            if not self._pending:
                self._pending = self._file.read(_CHUNK)
                self._taken += len(self._pending)
            if self._zlib.eof and not self._next_part():
                return b""
            if not self._pending and not self._zlib.eof:
                raise Unreadable("cut short: the gzip data ends too early")
            data = self._inflate(size)
        self._given += len(data)
        if self._given > max(RATIO_FLOOR, MAX_RATIO * self._taken):
            raise Unreadable(f"{self._given} bytes from {self._taken}: a decompression bomb")
        return data

    def _next_part(self) -> bool:
        """A gzip file may be several, one behind another; zeros behind the last are padding."""
        if not self._pending.startswith(_GZIP):
            return False
        self._zlib = zlib.decompressobj(wbits=31)
        return True

    def _inflate(self, size: int) -> bytes:
        try:
            data = self._zlib.decompress(self._pending, size)
        except zlib.error as error:
            raise Unreadable(f"damaged gzip data: {error}") from error
        self._pending = self._zlib.unused_data if self._zlib.eof else self._zlib.unconsumed_tail
        return data


def inflate(path: Path) -> BinaryIO:
    """A gzip file, or a plain one, opened for reading its inflated bytes (see Inflated).

    Raises:
        OSError: it cannot be opened.
    """
    return io.BufferedReader(Inflated(path.open("rb")), _CHUNK)


def members(path: Path) -> Iterator[Member]:
    """Every member that is no folder, in one pass.

    A damaged archive gives what stands before the damage, then an entry under its own name. The
    checksum of gzip data is known only at its end: that entry may be about any member before it.

    Yields:
        Name as written, declared bytes, what is wrong with it or "", and a function from the
        largest number of bytes accepted to its content (raises Unreadable), which works until the
        next member is taken.
    """
    count, problem = 0, ""
    try:
        # Unbuffered, as a buffer would swallow the bytes just before the damage.
        with Inflated(path.open("rb")) as data:
            for member in _walk(data, _most(path, data)):
                count += 1
                yield member
            while data.read(_CHUNK):
                pass  # the checksum of gzip data stands at its end
    except Exception as error:  # a damaged header raises nearly anything in tarfile
        problem = str(error) or type(error).__name__
    if problem:
        yield path.name, 0, f"damaged behind {count} members ({problem}); download it again", _none


def _most(path: Path, data: Inflated) -> int:
    """Bytes that a file can hold; of a compressed one roughly, as its ratio is looked at later."""
    size = path.stat().st_size
    return size if data.is_plain else max(64 * RATIO_FLOOR, MAX_RATIO * size)


def _walk(data: Inflated, most: int) -> Iterator[Member]:
    # tarfile as a stream never seeks; without "*" it leaves decompression to us.
    with tarfile.open(fileobj=data, mode="r|", tarinfo=_Header, bufsize=_CHUNK) as archive:
        while (info := archive.next()) is not None:
            archive.members.clear()  # type: ignore[attr-defined]  # tarfile keeps all it has seen
            if info.size > most:  # tarfile would read on behind the end, block by block
                raise Unreadable(f"{info.name[:80]} is to have {info.size} bytes")
            if not info.isdir():
                yield info.name, info.size, _problem(info), _reader(archive, info)


class _Header(tarfile.TarInfo):
    """A header that does not let damage pass for the end of the archive, as tarfile does."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        try:
            info = super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as error:
            if len(buf) == tarfile.BLOCKSIZE and not any(buf):
                raise  # the end mark
            raise Unreadable(f"not a tar header: {error}") from error
        # tarfile reads these into memory before anybody can ask for their size.
        if info.type in _NOTES and info.size > _MAX_NOTE:
            raise Unreadable(f"a header of {info.size} bytes")
        return info


def _problem(info: tarfile.TarInfo) -> str:
    if info.issym() or info.islnk():
        return "a link"
    if info.isdev():
        return "a device"
    if info.size < 0:
        return "a negative size"
    if not info.isreg() or info.issparse():
        return f"not a regular file (tar type {info.type!r})"
    return ""


def _reader(archive: tarfile.TarFile, info: tarfile.TarInfo) -> Callable[[int], bytes]:
    def read(limit: int) -> bytes:
        if info.size > limit:
            raise Unreadable(f"too large: {info.size} bytes")
        try:
            with archive.extractfile(info) as file:  # type: ignore[union-attr]  # a regular file
                data = file.read()
        except Exception as error:
            raise Unreadable(f"cannot be unpacked: {error or type(error).__name__}") from error
        if len(data) != info.size:
            raise Unreadable(f"cut short: {len(data)} of {info.size} bytes")
        return data

    return read


def _none(limit: int) -> bytes:
    raise Unreadable("not a file")
