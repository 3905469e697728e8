"""Options that several commands have in common."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from benchmark.errors import UserError, quoted
from benchmark.machine.paths import CACHE_DIR, DATA_DIR, expanded


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


class SuiteName(click.ParamType):
    """The name of a suite, or the path of a file of one's own."""

    name = "suite"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """A text for a name, a :class:`pathlib.Path` for a file."""
        if isinstance(value, str) and (value.endswith(".toml") or "/" in value):
            return FILE.convert(value, param, ctx)
        return value


SUITE = SuiteName()

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
        DATA_DIR,
        "TFDS data folder, shared with plain tfds.load.",
    )


def cache_dir() -> Decorator:
    """Where views lie."""
    return _shared_folder(
        "--cache-dir",
        CACHE_DIR,
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
        envvar="CXR_BENCH_MODELS",
        help="Folder with model files of your own; may be given several times. Default: those of "
        "CXR_BENCH_MODELS.",
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


def as_json() -> Decorator:
    """Whether a command says what it says as JSON."""
    return click.option("--json", "as_json", is_flag=True, help="As JSON, numbers unrounded.")


def listed(option: str, name: str, text: str, kind: type = str) -> Decorator:
    """An option that may be given several times, or once with commas between its values."""

    def split(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> tuple:
        parts = [part.strip() for value in values for part in value.split(",")]
        try:
            return tuple(kind(part) for part in parts if part)
        except ValueError:
            raise click.BadParameter(
                f"{quoted(','.join(values))} is no list of whole numbers"
            ) from None

    return click.option(option, name, multiple=True, metavar="LIST", callback=split, help=text)


def refuse_beside(context: click.Context, alone: str, *with_it: str) -> None:
    """Raise a UsageError for what was said beside an option that leaves it without meaning.

    Args:
        context: of the command.
        alone: the option, as written.
        with_it: names of the parameters that go with it.
    """
    for parameter in context.command.params:
        name = parameter.name or ""
        said = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        if said and name not in with_it and alone not in parameter.opts:
            raise click.UsageError(f"{alone} does not go with {max(parameter.opts, key=len)}")


def matrix() -> Decorator:
    """The axes of a matrix of one's own; lists may be written with commas."""
    return together(
        listed("--models", "models", "Models: cnn,densenet121."),
        listed("--sizes", "resolutions", "Image sides in px: 64,128,224.", int),
        listed("--preparations", "preprocessing", "Image preparations; default: raw."),
        listed("--augmentations", "augmentation", "Augmentation policies; default: none."),
        listed("--schemes", "scheme", "Training schemes; default: scratch."),
        listed("--seeds", "seeds", "Seeds; default: 0,1,2.", int),
        click.option("--recipe", default="", help="A named recipe: reference or short."),
    )


def together(*options: Decorator) -> Decorator:
    """Several options as one decorator, in the order in which help shows them."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def _shared_folder(name: str, of: tuple[str, str], text: str) -> Decorator:
    variable, default = of
    return click.option(
        name,
        type=FOLDER,
        envvar=variable,
        default=Path(default),
        show_default=True,
        help=text,
    )
