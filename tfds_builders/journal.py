"""What an attempt to prepare a data set has done so far, for the next one if it is killed.

A journal is a text file that only grows, one JSON list a line::

    ["attempt", "incomplete.AB12CD_1.0.0"]   the temporary folder that TFDS writes this attempt to
    ["sound", "<sha256>"]                    bytes that were decoded and may stay as they are

Files that are converted or refused are looked at again: the pixels of the former are needed, and
the latter are few. A line counts when it is whole: a kill in the middle of writing costs one check.
The hash covers the versions of the decoders too, so that another decoder checks everything again.

While a journal is open its file is locked by the system, which lets go of the lock when the process
ends in any way. Whoever holds it knows that the attempts in it are dead.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import cache
from pathlib import Path

_current: ContextVar[Journal | None] = ContextVar("journal", default=None)


class Journal:
    """An open journal.

    Attributes:
        path: the file; the temporary folders of its attempts lie beside it.
        alone: whether no other process has it open; unknown, and so no, without locks.
        known: 32-byte keys of sound bytes. Only what earlier attempts found: within one attempt
            no file is checked twice.
    """

    def __init__(self, path: Path, handle: int, *, alone: bool):
        self.path = path
        self.known: set[bytes] = set()
        self._handle = handle
        self.alone = alone
        self._attempts: set[str] = set()
        for line in path.read_bytes().splitlines():
            self._read(line)
        # A torn last line must not swallow the first new one.
        os.write(handle, b"\n")

    def key(self, data: bytes, dtype: str) -> bytes:
        """What bytes are found again by, as an image of a type."""
        digest = hashlib.sha256(f"{_decoders()} {dtype}\n".encode())
        digest.update(data)
        return digest.digest()

    def sound(self, key: bytes) -> None:
        """Note that bytes may stay as they are. May be called in any thread."""
        self._append("sound", key.hex())

    def attempt(self, folder: str) -> None:
        """Note the temporary folder of this attempt."""
        self._append("attempt", folder)

    def remove_dead(self) -> list[str]:
        """Remove the folders of earlier attempts; returns their names.

        Where the file system has no locks nobody knows whether they are dead, and they stay.
        """
        found = self.path.parent.glob("incomplete.*") if self.alone else ()
        dead = [path for path in found if path.name in self._attempts]
        for path in dead:
            shutil.rmtree(path)
        return sorted(path.name for path in dead)

    def discard(self, folder: Path) -> None:
        """Remove a folder that was made, and must not be taken for whole if this is killed."""
        aside = folder.with_name(f"incomplete.torn_{folder.name}")
        self.attempt(aside.name)
        folder.rename(aside)
        shutil.rmtree(aside)

    def _append(self, *line: str) -> None:
        # One write to a file opened for appending is never mixed with another thread's.
        os.write(self._handle, json.dumps(line).encode() + b"\n")

    def _read(self, line: bytes) -> None:
        try:
            match json.loads(line):
                case ["sound", str(key)]:
                    self.known.add(bytes.fromhex(key))
                case ["attempt", str(folder)]:
                    self._attempts.add(folder)
        except ValueError:
            pass  # torn by a kill


@contextmanager
def opened(path: Path, waiting: Callable[[], None] = lambda: None) -> Iterator[Journal]:
    """Open a journal, new or left by an attempt that died, and use it for all checks inside.

    While another living process has it open, this waits: what was to be done may be done then.
    Inside itself it is the one that is open. The file is removed when the work inside succeeds, and
    stays when it fails.

    Args:
        path: of its file.
        waiting: called before this begins to wait.
    """
    if (around := current()) and around.path == path:
        yield around
        return
    handle, alone = _alone(path, waiting)
    try:
        journal = Journal(path, handle, alone=alone)
        token = _current.set(journal)
        try:
            yield journal
        finally:
            _current.reset(token)
        path.unlink(missing_ok=True)
    finally:
        os.close(handle)


def current() -> Journal | None:
    """The journal that is open around the caller, if any."""
    return _current.get()


def _alone(path: Path, waiting: Callable[[], None]) -> tuple[int, bool]:
    """A journal's file, opened and locked; and whether it could be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            locked = _lock(handle, waiting)
            if not locked or _is_at(handle, path):
                return handle, locked
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)  # who had it has succeeded, and removed it


def _is_at(handle: int, path: Path) -> bool:
    with suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(handle), path.stat())
    return False


def _lock(handle: int, waiting: Callable[[], None]) -> bool:
    """Lock a file; False where there are no such locks: on Windows, on file systems of clusters."""
    try:
        import fcntl
    except ImportError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        waiting()
        fcntl.flock(handle, fcntl.LOCK_EX)
    except OSError:
        return False
    return True


@cache
def _decoders() -> str:
    import PIL
    import tensorflow as tf  # takes seconds, and is loaded by the first check anyway

    return f"1 {tf.__version__} {PIL.__version__}"
