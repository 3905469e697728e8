"""The files of claims: made by one alone, removed only while they are what they are known to be.

Nothing here needs locks of the file system. Between hosts a file system promises that of several
``link`` or exclusive ``open`` calls for one name a single one succeeds, and that a rename moves
what is there as a whole. It may lose an answer and call a success a failure (NFS), so what counts
is what is read back.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

GONE = (errno.ENOENT, errno.ESTALE)
"""How it is said that a file is not there any more; ESTALE by NFS, in the middle of reading."""


@dataclass(frozen=True)
class Seen:
    """A claim's file at one moment: its bytes, and when it was last beaten (ns, server's clock)."""

    data: bytes
    mtime_ns: int


def look(path: Path) -> Seen | None:
    """What is at ``path``; None if nothing is."""
    try:
        with path.open("rb") as file:  # opening makes NFS ask the server, stat alone does not
            return Seen(file.read(), os.fstat(file.fileno()).st_mtime_ns)
    except OSError as fault:
        if fault.errno in GONE:
            return None
        raise


def holds(path: Path, data: bytes) -> bool:
    """Whether ``path`` is a file of exactly these bytes."""
    seen = look(path)
    return seen is not None and seen.data == data


def create(path: Path, data: bytes) -> bool:
    """Make ``path`` with bytes that nobody else writes, unless it is there; whether that was us."""
    private = _private(path.parent)
    try:
        _write_new(private, data)
        return _place(private, path, data)
    finally:
        private.unlink(missing_ok=True)


def remove(path: Path, known: Callable[[Seen], bool]) -> None:
    """Remove ``path`` if it is as known; what came in between look and rename is put back."""
    seen = look(path)
    if seen is None or not known(seen):
        return
    private = _private(path.parent)
    with contextlib.suppress(FileNotFoundError):
        path.rename(private)
    moved = look(private)
    if moved is None:  # somebody else was first
        return
    try:
        if not known(moved):
            _place(private, path, moved.data)
    finally:
        private.unlink(missing_ok=True)


def server_time(folder: Path) -> float:
    """Now by the clock that dates the files of ``folder``, which need not be that of this host."""
    probe = _private(folder)
    try:
        _write_new(probe, b"")
        os.utime(probe)  # a write may be dated here, this is dated by the server
        return probe.stat().st_mtime
    finally:
        probe.unlink(missing_ok=True)


def _private(folder: Path) -> Path:
    return folder / f".{secrets.token_hex(16)}"


def _place(private: Path, path: Path, data: bytes) -> bool:
    """Give the private file, which holds ``data``, the name ``path`` as well, if that is free."""
    try:
        os.link(private, path)
    except OSError:  # the name is taken, or the file system has no hard links
        with contextlib.suppress(FileExistsError):
            _write_new(path, data)
    return holds(path, data)


def _write_new(path: Path, data: bytes) -> None:
    file = path.open("xb")
    try:
        with file:
            file.write(data)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
