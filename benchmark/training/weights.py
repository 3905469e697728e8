"""Weight policies: what a network's weights are when training begins, and what is trained.

Published weights are never downloaded on the side: the file is found in a folder that the user
names or in Keras' cache, or the cell is not run (see ``published.py`` for how it gets there).
Imports no Keras.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from benchmark.errors import UnknownName, UserError
from benchmark.records.files import sha256, sha256_of_file
from benchmark.training.published import PUBLISHED

FINETUNE = "imagenet_finetune"
POLICIES = {
    "random": "trained from scratch",
    "random_frozen": "no weights loaded, the backbone frozen as it began (system S0's fault)",
    "imagenet_frozen": "feature extraction: published weights, frozen; the head is trained",
    FINETUNE: "published weights; the head is trained, then all layers at a lower rate",
}
FROM = "from:"
"""Prefix of the policy that continues from the weights of another row, ``from:<cell_id>``."""
FOLDER_VARIABLE = "CXR_BENCH_WEIGHTS"


class MissingWeights(UserError):
    """Weights that a cell needs are not there; the text says how to get them."""


def check_weights(name: str) -> None:
    """Refuse what is not a weight policy.

    Raises:
        UnknownName: there is no such policy; lists the choices.
        UserError: ``from:`` without a cell id behind it.
    """
    if name.startswith(FROM):
        if not re.fullmatch("[0-9a-f]{12}", origin(name)):
            raise UserError(
                f"weights {name!r}: after {FROM!r} comes the id of a row, twelve hexadecimal "
                "digits, as its file in the results folder's rows/ is called"
            )
    elif name not in POLICIES:
        raise UnknownName("weights", name, (*POLICIES, f"{FROM}<cell id>"))


def origin(policy: str) -> str:
    """The id of the cell whose weights a policy continues from; empty for other policies."""
    return policy.removeprefix(FROM) if policy.startswith(FROM) else ""


def is_frozen(policy: str) -> bool:
    """Whether the backbone stays as it is, so that its features are computed once."""
    return policy in ("random_frozen", "imagenet_frozen")


def is_published(policy: str) -> bool:
    """Whether published weights are loaded."""
    return policy in ("imagenet_frozen", FINETUNE)


def weight_folders(given: Sequence[Path] = ()) -> list[Path]:
    """Where weight files are looked for: folders given, CXR_BENCH_WEIGHTS, Keras' cache."""
    variable = os.environ.get(FOLDER_VARIABLE)
    named = [Path(variable).expanduser()] if variable else []
    return [*given, *named, keras_cache()]


def keras_cache() -> Path:
    """The folder in which Keras keeps weight files."""
    home = os.environ.get("KERAS_HOME") or "~/.keras"
    return Path(home).expanduser() / "models"


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
