"""Atomic files: a reader sees the old content or the new, never half of it."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmark.errors import UserError

ABANDONED_AFTER = 3600.0
"""Seconds without a write after which a temporary file is taken for a dead process's."""


def write_atomic(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path`` through a temporary file in the same folder and a rename."""
    write_in_order({path: data})


def write_in_order(files: Mapping[Path, bytes]) -> None:
    """Write files that belong together, each through a temporary file beside it and a rename.

    All of them are on disk before the first takes its name, in the order given: a full disk
    changes none.
    """
    staged: dict[Path, Path] = {}
    try:
        for path, data in files.items():
            _stage(path, data, staged)
        for temporary, path in staged.items():
            temporary.replace(path)
    except BaseException:
        for temporary in staged:
            temporary.unlink(missing_ok=True)
        raise


def _stage(path: Path, data: bytes, staged: dict[Path, Path]) -> None:
    """Write a temporary file beside ``path``; noted in ``staged`` as soon as it is there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    staged[Path(name)] = path
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    Path(name).chmod(0o644)  # mkstemp makes private files; results are to be shared


def remove_abandoned(folder: Path) -> None:
    """Remove what killed writers left in the folders of ``folder``: temporary files an hour old."""
    for path in folder.glob("*/.*.tmp*"):
        with contextlib.suppress(FileNotFoundError):  # another process was first
            if time.time() - path.stat().st_mtime > ABANDONED_AFTER:
                path.unlink()


def check_writable(folder: Path, what: str, option: str) -> None:
    """Make a folder where it is not, and make sure that it can be written to.

    Args:
        what: it is called.
        option: of the command line by which another one is chosen.

    Raises:
        UserError: it cannot.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UserError(
            f"cannot write to the {what} folder {folder}: {error.strerror or error}. "
            f"Choose another with {option} DIR."
        ) from None


def is_disk_full(error: BaseException | None) -> bool:
    """Whether an error, or one that it was raised from, is a full disk or quota."""
    if error is None:
        return False
    full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    # HDF5 and TensorFlow put it into words only.
    return full or os.strerror(errno.ENOSPC) in str(error) or is_disk_full(error.__cause__)


def readable_json(value: Any) -> bytes:
    """UTF-8 JSON for files that people read: sorted keys, indented, final newline."""
    return (json.dumps(value, sort_keys=True, indent=1, allow_nan=False) + "\n").encode()
