"""Options that several commands have in common."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from benchmark.errors import UserError
from benchmark.machine.paths import expanded


class ExpandedPath(click.Path):
    """A path of the command line or of an environment variable, its ``~`` expanded.

    A shell leaves that as it is in ``--results=~/x``.
    """

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path, a :class:`pathlib.Path`; a usage error where nobody may look at it."""
        try:
            path = expanded(value)
            with suppress(FileNotFoundError, NotADirectoryError):
                path.stat()
        except UserError as error:
            self.fail(str(error), param, ctx)
        except PermissionError:
            self.fail(f"{value}: permission denied.", param, ctx)
        return super().convert(path, param, ctx)


FILE = ExpandedPath(dir_okay=False, path_type=Path)
FOLDER = ExpandedPath(file_okay=False, path_type=Path)

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def results() -> Decorator:
    """Where a command reads and writes results."""
    return click.option(
        "--results",
        type=FOLDER,
        default=Path("results"),
        show_default=True,
        help="Folder with rows, predictions and leaderboard.",
    )


def out(what: str) -> Decorator:
    """Where a command writes what shows single images; ``what`` names the folder."""
    return click.option(
        "--out",
        type=FOLDER,
        default=Path("results/local") / what,
        show_default=True,
        help="Folder to write to; it will name images and patients of the set.",
    )


def data_dir() -> Decorator:
    """Where prepared sets lie."""
    return _shared_folder(
        "--data-dir",
        "~/tensorflow_datasets",
        "TFDS_DATA_DIR",
        "TFDS data folder, shared with plain tfds.load.",
    )


def cache_dir() -> Decorator:
    """Where views lie."""
    return _shared_folder(
        "--cache-dir",
        "~/.cache/cxr-bench",
        "CXR_BENCH_CACHE",
        "Folder of the decoded views; may be deleted at any time.",
    )


def device() -> Decorator:
    """What a command computes with."""
    return click.option(
        "--device",
        type=click.Choice(["auto", "cpu", "gpu", "tpu"]),
        default="auto",
        show_default=True,
        help="What to compute with; auto: what CXR_BENCH_DEVICE says, else what is found.",
    )


def models_dir() -> Decorator:
    """Where model files lie beside the package's own; several."""
    return click.option(
        "--models-dir",
        "models_dirs",
        type=FOLDER,
        multiple=True,
        help="Folder with model files of your own; may be given several times.",
    )


def weights_dir() -> Decorator:
    """Where published weights lie beside Keras' cache; several."""
    return click.option(
        "--weights-dir",
        "weights_dirs",
        type=FOLDER,
        multiple=True,
        help="Folder with published weight files, besides Keras' cache; may be given several "
        "times.",
    )


def _shared_folder(name: str, default: str, variable: str, text: str) -> Decorator:
    return click.option(
        name,
        type=FOLDER,
        envvar=variable,
        default=Path(default),
        show_default=True,
        help=text,
    )
