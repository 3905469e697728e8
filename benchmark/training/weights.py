"""Where a network's weights come from, and the schemes by which they are trained.

Published weights are never downloaded on the side: the file is found in a folder that the user
names or in Keras' cache, or the spec is not run (see ``published.py`` for how it gets there).
Imports no Keras.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from benchmark.errors import UnknownName, UserError
from benchmark.hashing import sha256, sha256_of_file
from benchmark.spec import FROM
from benchmark.training.published import PUBLISHED

RANDOM, IMAGENET = "random", "imagenet"
SOURCES = {
    RANDOM: "drawn at random",
    IMAGENET: "the file published with the architecture, learnt on ImageNet",
}
"""What a network begins with; or ``from:<spec id>``, what another row saved."""
SCRATCH, FROZEN, FINETUNE, CONTINUE = "scratch", "frozen", "finetune", "continue"
SCHEMES = {
    SCRATCH: "every layer is trained",
    FROZEN: "the backbone stays as it begins; the head is trained on its features",
    FINETUNE: "the head is trained first, then all layers at a lower rate",
    CONTINUE: "every layer is trained on, from the weights of another row",
}
"""What is trained, and in which order."""
GO_TOGETHER = {
    SCRATCH: (RANDOM,),
    FROZEN: (IMAGENET, RANDOM),
    FINETUNE: (IMAGENET,),
    CONTINUE: (),
}
"""Scheme -> the sources it can begin from, its usual one first; a row's weights are continued."""
FOLDER_VARIABLE = "CXR_BENCH_WEIGHTS"


class MissingWeights(UserError):
    """Weights that a spec needs are not there; the text says how to get them."""


def check_scheme(name: str) -> None:
    """Raise an UnknownName where there is no such scheme."""
    if name not in SCHEMES:
        raise UnknownName("scheme", name, SCHEMES)


def check_weights(name: str) -> None:
    """Refuse what is no source of weights.

    Raises:
        UnknownName: there is no such source; lists the choices.
        UserError: ``from:`` without a spec id behind it.
    """
    if name.startswith(FROM):
        if not re.fullmatch("[0-9a-f]{12}", name.removeprefix(FROM)):
            raise UserError(
                f"weights {name!r}: after {FROM!r} comes the id of a row, twelve hexadecimal "
                "digits, as its file in the results folder's rows/ is called"
            )
    elif name not in SOURCES:
        raise UnknownName("weights", name, (*SOURCES, f"{FROM}<spec id>"))


def usual_weights(scheme: str) -> str:
    """The source that a scheme begins from where none is named; empty where one has to be."""
    return next(iter(GO_TOGETHER[scheme]), "")


def check_together(scheme: str, weights: str) -> None:
    """Raise a UserError where a scheme cannot begin from these weights."""
    if weights not in GO_TOGETHER[scheme] and not (scheme == CONTINUE and weights.startswith(FROM)):
        known = " or ".join(GO_TOGETHER[scheme]) or f"{FROM}<spec id>"
        hint = f"; weights of a row are for scheme {CONTINUE}" if weights.startswith(FROM) else ""
        raise UserError(f"scheme {scheme} begins from weights {known}, not {weights!r}{hint}")


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
