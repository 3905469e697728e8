"""What the system says of disks and folders, in words for people; and whether there is room."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from benchmark.errors import UserError

FULL = (errno.ENOSPC, errno.EDQUOT)
UNUSABLE = (*FULL, errno.EROFS, errno.EIO, errno.ESTALE, errno.ENOTCONN, errno.ENODEV)
"""After these nothing more can be written to the folder: what goes on is done in vain."""
_REMEDIES = {
    FULL: "Free some space, or choose another folder.",
    (errno.EROFS,): "Choose a folder that can be written to.",
    (errno.EACCES, errno.EPERM): "Choose another folder, or change who may use this one.",
    (errno.ENAMETOOLONG,): "Choose a shorter name.",
    UNUSABLE: "Its disk or server is in trouble: see to that, then run the same again.",
}


def told(error: OSError, folder: Path | None = None) -> str:
    """An error of the system as sentences: where, what, and what to do if that is known.

    Args:
        folder: where it happened, should the error itself not say.
    """
    place = error.filename or folder
    where = f"{place}: " if place else ""
    remedy = next((said for codes, said in _REMEDIES.items() if error.errno in codes), "")
    return f"{where}{error.strerror or error}. {remedy}".rstrip()


def is_disk_full(error: BaseException | None) -> bool:
    """Whether an error, or one that it was raised from, is a full disk or quota."""
    return any(_is(each, FULL) for each in _chain(error))


def is_unusable(error: BaseException, folders: Iterable[Path]) -> bool:
    """Whether an error, or one that it was raised from, says that one of these takes nothing more.

    One that does not say where it happened is taken for one of these.
    """
    folders = list(folders)
    return any(_is(each, UNUSABLE) and _inside(each, folders) for each in _chain(error))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def _is(error: BaseException, codes: tuple[int, ...]) -> bool:
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno in codes
    # HDF5 and TensorFlow put it into words only.
    in_words = {errno.ENOSPC, errno.EROFS} & set(codes)
    return any(os.strerror(code) in str(error) for code in in_words)


def _inside(error: BaseException, folders: list[Path]) -> bool:
    at = getattr(error, "filename", None)
    return not isinstance(at, str) or any(map(Path(at).is_relative_to, folders))


def existing(path: Path) -> Path:
    """The path, or the nearest folder above it that exists."""
    return next(each for each in (path.absolute(), *path.absolute().parents) if each.exists())


def free_bytes(folder: Path) -> int:
    """What is free where a folder is or will be.

    Raises:
        OSError: the file system does not say.
    """
    return shutil.disk_usage(existing(folder)).free


def check_room(folder: Path, size: float, what: str, option: str) -> None:
    """Make sure that there is room, before time is spent on what is to be written.

    Args:
        folder: that it goes into; need not be there yet.
        size: bytes that it takes.
        what: it is called.
        option: of the command line by which another folder is chosen.

    Raises:
        UserError: there is less, with a full disk as its cause.
    """
    try:
        free = free_bytes(folder)
    except OSError:  # a file system that does not say
        return
    if free < size:
        raise UserError(
            f"no room for {what} in {folder}: {_size(size)} are needed, {_size(free)} are free. "
            f"Free some space, or choose another folder with {option} DIR."
        ) from OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))


def _size(n: float) -> str:
    return f"{n / 1e9:.1f} GB" if n >= 1e9 else f"{n / 1e6:.1f} MB"
