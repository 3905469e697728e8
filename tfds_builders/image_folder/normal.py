"""Which of the classes means that nothing was found, and what kind of task classes make."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NoReturn

from tfds_builders.errors import DatasetError, quoted
from tfds_builders.image_folder.names import spelling, word

NONE = "none"
_NORMAL = {
    "normal", "normals", "nofinding", "nofindings", "healthy", "negative", "control", "controls",
    "nodisease", "noabnormality", "unremarkable", "none", "nothing", "nopathology", "uninfected",
    "neg", "wnl", "nil", "no", "false", "absent", "noacutefindings", "noabnormalities",
}  # fmt: skip
_NOT = ("non", "not", "no", "without", "un", "negativefor")


def is_normal(name: str, others: Sequence[str] = ()) -> bool:
    """True for words that mean healthy, numbered or not, and for the opposite of another class."""
    word = re.sub(
        "^[0-9]+|(?:cxr|xrays?|lungs?|chest|images?|cases?|patients?|[0-9]+)+$", "", _w(name)
    )
    opposites = {f"{no}{_w(other)}" for no in _NOT for other in others}
    opposites |= {f"{_w(other)}{no}" for no in ("negative", "free") for other in others}
    return word in _NORMAL or _w(name) in opposites


def _w(name: str) -> str:
    # what stands in brackets explains: "Normal (healthy)"
    return re.sub(r"\(.*\)$", "", word(name))


def refuse_no_normal(classes: Sequence[str], said: str) -> NoReturn:
    """Say that no class is called so."""
    raise DatasetError(
        f"image_folder: there is no class {quoted(said)} (--normal-class); there are "
        f"{', '.join(classes)}."
    )


def task_of(classes: Sequence[str], normal_class: str = "") -> tuple[tuple[str, ...], str]:
    """Findings and kind of exclusive classes: two of which one is normal are a binary task.

    Args:
        classes: two or more.
        normal_class: the one that means normal, or :data:`NONE`; "" where its name tells.

    Raises:
        DatasetError: of two classes it cannot be told which is normal, or there is none called so.
    """
    if normal_class and spelling(normal_class) != NONE:
        normal = [name for name in classes if spelling(name) == spelling(normal_class)]
        if not normal:
            refuse_no_normal(classes, normal_class)
    else:
        normal = [n for n in classes if is_normal(n, [other for other in classes if other != n])]
    if len(normal) > 1 and not normal_class:
        raise DatasetError(
            f"image_folder: {' and '.join(map(quoted, normal))} both mean normal. Give them one "
            "name, or say --normal-class none where they differ."
        )
    if len(classes) != 2 or (spelling(normal_class) == NONE and normal_class):
        return tuple(classes), "multiclass"
    if len(normal) != 1:
        raise DatasetError(
            f"image_folder: which of {quoted(classes[0])} and {quoted(classes[1])} means normal? "
            f"Say it: --normal-class {quoted(classes[0])}, or --normal-class none where both are "
            "findings."
        )
    return tuple(name for name in classes if name != normal[0]), "binary"
