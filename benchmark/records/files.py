"""Atomic files: a reader sees the old content or the new, never half of it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from benchmark.errors import UserError

ABANDONED_AFTER = 3600.0
"""Seconds without a write after which a temporary file is taken for a dead process's."""


def write_atomic(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path`` through a temporary file in the same folder and a rename."""
    write_in_order({path: data})


def write_in_order(files: Mapping[Path, bytes | Path]) -> None:
    """Write files that belong together, each through a temporary file beside it and a rename.

    All of them are on disk before the first takes its name, in the order given: a full disk
    changes none.

    Args:
        files: their bytes, or a large file to copy, by the names that they take.
    """
    with _taking_names() as staged:
        for path, content in files.items():
            with _stage(path, staged) as file:
                if isinstance(content, bytes):
                    file.write(content)
                else:
                    with content.open("rb") as made:
                        shutil.copyfileobj(made, file)


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """A file that takes the place of ``path`` when it is complete; till then the old one stays."""
    with _taking_names() as staged, _stage(path, staged) as file:
        yield file


@contextlib.contextmanager
def _taking_names() -> Iterator[dict[Path, Path]]:
    """Temporary files by the names that they take, in order, once all of them are complete."""
    staged: dict[Path, Path] = {}
    try:
        yield staged
        for temporary, path in staged.items():
            temporary.replace(path)
    except BaseException:
        for temporary in staged:
            temporary.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def _stage(path: Path, staged: dict[Path, Path]) -> Iterator[IO[bytes]]:
    """A temporary file beside ``path``; noted in ``staged`` as soon as it is there."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
        staged[Path(name)] = path
        os.close(handle)
        with Path(name).open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)  # mkstemp makes private files; results are to be shared
    except OSError as error:
        at = error.filename  # a write does not say where it failed
        if not isinstance(at, str) or Path(at).parent == path.parent:
            error.filename = str(path)
        raise


def remove_abandoned(folder: Path) -> None:
    """Remove what killed writers left in the folders of ``folder``: temporary files an hour old."""
    for path in folder.glob("*/.*.tmp*"):
        with contextlib.suppress(FileNotFoundError):  # another process was first
            if time.time() - path.stat().st_mtime > ABANDONED_AFTER:
                path.unlink()


def leads_elsewhere(path: Path, folder: Path) -> bool:
    """Whether a path in a folder is a link, or stands behind one; the folder itself may be one."""
    there = Path(os.path.realpath(folder)) / path.relative_to(folder)
    return Path(os.path.realpath(path)) != there


def refuse_link(path: Path, folder: Path, todo: str) -> None:
    """Raise a UserError where a folder of another one is a link, or stands behind one."""
    if leads_elsewhere(path, folder):
        raise UserError(f"{path} leads to another folder: nothing is written through links. {todo}")


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


def readable_json(value: Any) -> bytes:
    """UTF-8 JSON for files that people read: sorted keys, indented, final newline."""
    return (json.dumps(value, sort_keys=True, indent=1, allow_nan=False) + "\n").encode()
