"""The split that a set brings along: folders or cells that say train, validation or test."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from tfds_builders.errors import DatasetError, quoted
from tfds_builders.image_folder.names import spelling
from tfds_builders.splits import SPLITS

_WORD = re.compile(
    "(?:(train|training|trn|tr)|(val|valid|validation|validate|dev|devel|development|va)"
    "|(test|testing|tst|te))"
    "(?:set|data|dataset|images|img|split|folder|x?rays?)?[0-9]*"
)
_PART = re.compile("(?:fold|split|part|batch|cv|set|subset|dataset)[0-9]+")
_HINT = re.compile("train|valid|test|fold|split|eval|holdout|^(?:val|dev)(?![a-z])|(?:val|dev)$")


def pool(name: str, told: Mapping[str, str] | None = None) -> str:
    """The split that a folder's name, or a cell, means; "" where it means none.

    Args:
        name: e.g. ``train_set``.
        told: spelling of a name -> split, as the person says.
    """
    word = spelling(name)
    if told and word in told:
        return told[word]
    match = _WORD.fullmatch(re.sub("^[0-9]+", "", word))
    return SPLITS[match.lastindex - 1] if match and match.lastindex else ""


def looks_like_one(name: str) -> bool:
    """True for what may mean a split, understood or not."""
    return bool(_HINT.search(spelling(name)))


def is_no_class(name: str) -> bool:
    """True for names that mean a part of a set for certain, and so are no class."""
    return bool(pool(name) or _PART.fullmatch(spelling(name)))


def parse(said: str) -> dict[str, str]:
    """``train=A,validation=B`` as spelling -> split; one split may have several.

    Raises:
        DatasetError: it is not written so, or names another split.
    """
    told: dict[str, str] = {}
    for part in filter(None, map(str.strip, said.split(","))):
        split, equals, name = (each.strip() for each in part.partition("="))
        if (
            split not in SPLITS
            or not equals
            or not name
            or told.get(spelling(name), split) != split
        ):
            raise DatasetError(
                f"image_folder: --splits {quoted(said)} is not understood at {quoted(part)}; write "
                "e.g. --splits train=A,validation=B,test=C."
            )
        told[spelling(name)] = split
    return told


def refuse_absent(told: Mapping[str, str], names: Iterable[str], where: str) -> None:
    """Raise a DatasetError where the person names a split that is not there."""
    there = {spelling(name): name for name in names}
    if absent := [word for word in told if word not in there]:
        raise DatasetError(
            f"image_folder: --splits names {', '.join(map(quoted, absent))}, and {where} is called "
            f"so; there are {', '.join(sorted(there.values())[:12]) or 'none'}."
        )


def refuse_unknown(names: Iterable[str], where: str) -> None:
    """Raise a DatasetError where names that should mean splits do not."""
    if shown := sorted(set(names)):
        raise DatasetError(
            f"image_folder: which split is {', '.join(map(quoted, shown[:8]))} ({where})? Say it: "
            "--splits train=A,validation=B,test=C with these names (several may be train), or "
            "move the folder away."
        )
