"""What a call from Python gives, checked before anything is done with it: mistakes are told."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from reprlib import repr as shortened
from typing import TYPE_CHECKING, Any

from benchmark.errors import UserError

if TYPE_CHECKING:
    from pandas import DataFrame

_PATH = (str, os.PathLike)


def check_texts(**given: object) -> None:
    """Raise a UserError for the first of these that is no text."""
    _check(str, "a text", given)


def check_paths(**given: object) -> None:
    """The same of paths."""
    _check(_PATH, "a path", given)


def check_folders(folders: Iterable[object] = (), **given: object) -> None:
    """The same of folders, where None is the usual one; and of the list ``models_dirs``."""
    _check((*_PATH, type(None)), "a path", given)
    if isinstance(folders, _PATH) or not isinstance(folders, Iterable):
        raise UserError(f"models_dirs is a list of paths, not {shortened(folders)}")
    for folder in folders:
        check_paths(models_dirs=folder)


def _check(kind: type | tuple[type, ...], said: str, given: Mapping[str, Any]) -> None:
    for name, value in given.items():
        if not isinstance(value, kind):
            raise UserError(f"{name} is {said}, not {shortened(value)}")


def check_table(predictions: object) -> None:
    """Raise a UserError for predictions that are no table."""
    import pandas as pd

    if not isinstance(predictions, pd.DataFrame):
        raise UserError(
            "predictions are a pandas.DataFrame with a line for each image, not "
            f"{type(predictions).__name__}; see docs/external.md for its columns"
        )


def check_images(size: int, preprocessing: str, batch_size: int) -> None:
    """Refuse images that only a run makes, or none at all.

    Raises:
        UnknownName: there is no such preprocessing.
        UserError: it needs masks of the lungs, or a number is none.
    """
    from benchmark.data.preprocessing import find
    from benchmark.suites.axes import check_resolution

    check_resolution(size)
    if not isinstance(batch_size, int) or batch_size < 1:
        raise UserError(f"batch_size is from 1, not {shortened(batch_size)}")
    if find(preprocessing).needs_lungs:
        raise UserError(
            f"preprocessing {preprocessing} needs masks of the lungs, which only a run of a suite "
            "makes; choose another"
        )


def write_table(predictions: DataFrame, path: Path) -> None:
    """Write predictions as the file that scoring reads.

    Raises:
        UserError: such a file cannot hold them.
    """
    from pyarrow import ArrowException

    if "image_id" in predictions.index.names and "image_id" not in predictions.columns:
        raise UserError(
            "predictions: image_id is the index of the table; give predictions.reset_index()"
        )
    try:
        predictions.to_parquet(path, index=False)
    except (ValueError, TypeError, ArrowException) as error:
        why = "; ".join(map(str, error.args))
        raise UserError(
            f"predictions: a column cannot be read ({why}). Each has a name of its own and holds "
            "text alone or numbers alone"
        ) from None
