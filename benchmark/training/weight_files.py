"""Weight files: where they are looked for, and what tells one from another. Imports no Keras.

Published weights are never downloaded on the side: the file is found in a folder that the user
names or in Keras' cache, or the spec is not run (see ``published.py`` for how it gets there).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from benchmark.errors import UserError
from benchmark.hashing import sha256, sha256_of_file
from benchmark.machine.paths import expanded
from benchmark.training.published import PUBLISHED

FOLDER_VARIABLE = "CXR_BENCH_WEIGHTS"


class MissingWeights(UserError):
    """Weights that a spec needs are not there; the text says how to get them."""


def weight_folders(given: Sequence[Path] = ()) -> list[Path]:
    """Where weight files are looked for: folders given, CXR_BENCH_WEIGHTS, Keras' cache."""
    variable = os.environ.get(FOLDER_VARIABLE)
    named = [expanded(variable)] if variable else []
    return [*given, *named, keras_cache()]


def keras_cache() -> Path:
    """The folder in which Keras keeps weight files; below /tmp for users without a home."""
    try:
        return expanded(os.environ.get("KERAS_HOME") or "~/.keras") / "models"
    except UserError:
        return Path("/tmp/.keras/models")


def find_weights(model: str, names: Sequence[str], folders: Sequence[Path]) -> list[Path]:
    """The first file of each name in these folders.

    Args:
        model: whose weights these are, for the message.

    Raises:
        MissingWeights: a file is in none of them.
    """
    places = {name: [folder / name for folder in folders] for name in names}
    found = {name: [path for path in places[name] if path.is_file()] for name in names}
    missing = [name for name in names if not found[name]]
    if missing:
        fetch = f"Download with: cxr-bench fetch-weights {model}; or copy"
        raise MissingWeights(
            f"no {' and no '.join(missing)} in {', '.join(map(str, folders))}. "
            f"{fetch if PUBLISHED.keys() >= set(missing) else 'Copy'} the file there, or name its "
            f"folder with --weights-dir or {FOLDER_VARIABLE}."
        )
    return [found[name][0] for name in names]


def digest(paths: Sequence[Path]) -> str:
    """SHA-256 of a weight file; of several, that of their hashes in order."""
    hashes = [_sha256(path, *_state(path)) for path in paths]
    return hashes[0] if len(hashes) == 1 else sha256("\n".join(hashes).encode())


def _state(path: Path) -> tuple[int, int]:
    state = path.stat()
    return state.st_size, state.st_mtime_ns


@cache
def _sha256(path: Path, size: int, changed: int) -> str:
    return sha256_of_file(path)
