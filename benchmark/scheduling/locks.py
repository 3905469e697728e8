"""One spec, one process: locks that two runs on a results folder share the work by."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path


class SpecLocks:
    """The locks of a results folder, one byte of ``.locks`` for each spec.

    The system lets go of a lock when its process ends, however it ends.

    Args:
        folder: the results folder; must exist.
    """

    def __init__(self, folder: Path):
        self._file = (folder / ".locks").open("ab")

    @contextlib.contextmanager
    def hold(self, spec_id: str) -> Iterator[bool]:
        """Whether the spec is ours for the block; False where another process has it."""
        byte = int(spec_id, 16)
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, byte)
        except (BlockingIOError, PermissionError):
            yield False
            return
        try:
            yield True
        finally:
            fcntl.lockf(self._file, fcntl.LOCK_UN, 1, byte)

    def close(self) -> None:
        """Let go of everything."""
        self._file.close()
