"""Files that a person asked for: written whole or not at all, and never through a link."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from benchmark.errors import UserError
from benchmark.records.files import refuse_link, replacing


def own_folder(results: Path, *names: str) -> Path:
    """A folder of a results folder that is written to where a person names no other.

    Raises:
        UserError: it, or a folder in it, is a link.
    """
    folder = results.joinpath(*names)
    inner = (Path(place, name) for place, within, _ in os.walk(folder) for name in within)
    for each in (folder, *inner):
        refuse_link(each, results, "Name the folder that is meant by --out DIR.")
    return folder


def write_asked(path: Path, content: bytes | Iterable[bytes]) -> None:
    """Write a file that a person asked for, whole or not at all.

    Args:
        path: the file.
        content: all of it, or its pieces.

    Raises:
        UserError: its folder cannot be written to.
    """
    try:
        with replacing(path) as file:
            file.writelines([content] if isinstance(content, bytes) else content)
    except OSError as error:
        reason = error.strerror or error
        raise UserError(
            f"cannot write {path}: {reason}. Choose another folder, or make room."
        ) from None
