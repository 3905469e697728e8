"""Paths as people write them, and the home folder that these may name."""

from __future__ import annotations

import os
from pathlib import Path

from benchmark.errors import UserError

NOWHERE = "/nonexistent"
"""Debian's home of users that have none."""


DATA_DIR = ("TFDS_DATA_DIR", "~/tensorflow_datasets")
CACHE_DIR = ("CXR_BENCH_CACHE", "~/.cache/cxr-bench")
"""Shared folders: the variable that names one, and where it is otherwise."""


def usual_folder(of: tuple[str, str], given: str | os.PathLike[str] | None = None) -> Path:
    """The folder that is given, else the one that a variable names, else the usual one."""
    variable, usual = of
    return expanded(given if given is not None else os.environ.get(variable) or usual)


def settle_home() -> None:
    """Set HOME where it is not and the system does not know the user.

    Else TensorFlow would make a folder called ``~`` in the current one.
    """
    if _home("~") is None:
        os.environ["HOME"] = NOWHERE


def expanded(path: str | os.PathLike[str]) -> Path:
    """A path with the folder that its ``~`` or ``~name`` stands for.

    Raises:
        UserError: there is no such folder.
    """
    first, *others = Path(path).parts or ("",)
    if not first.startswith("~"):
        return Path(path)
    home = _home(first)
    if home is None or not home.is_dir():
        raise UserError(
            f"{path}: there is no home folder for {first} here. "
            "Set HOME, or name the folder in full."
        )
    return home.joinpath(*others)


def _home(name: str) -> Path | None:
    try:
        return Path(name).expanduser()
    except RuntimeError:
        return None
