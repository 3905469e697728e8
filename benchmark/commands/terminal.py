"""The terminal is for what commands say, as wide as it is; what libraries print goes to a log."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import IO, TextIO

import click

from benchmark.machine.paths import CACHE_DIR, usual_folder
from benchmark.report.blocks.lines import Row, aligned, window, wrapped
from benchmark.report.blocks.text import printable

STDERR = 2
LOG = "libraries.log"
LARGEST = 1_000_000
"""Bytes after which the log is begun anew."""


def say(text: str, hang: int = 2, *, err: bool = False) -> None:
    """Print lines; on a terminal they are wrapped, and continued ``hang`` columns further in.

    Nothing that they quote acts on the terminal, and very long ones are cut.
    """
    click.echo(wrapped(printable(text), window(sys.stderr if err else sys.stdout), hang), err=err)


def say_table(rows: Sequence[Row], left: Sequence[bool] = ()) -> None:
    """Print a table; on a terminal it is fitted to the window.

    Args:
        rows: texts of its cells.
        left: which columns stand to the left; all unless given.
    """
    for line in aligned(rows, left or [True] * len(rows[0]), window(sys.stdout)) if rows else ():
        click.echo(line)


def quiet_builders() -> None:
    """Keep TFDS's moving bars, one for each step, off the terminal: for sets made in passing."""
    import tensorflow_datasets as tfds

    tfds.disable_progress_bar()


def plain_asked() -> bool:
    """Whether the environment asks for no colours (https://no-color.org)."""
    return bool(os.environ.get("NO_COLOR"))


def log_path() -> Path:
    """Where the log is."""
    return usual_folder(CACHE_DIR) / "logs" / LOG


@contextmanager
def kept_to_commands() -> Iterator[None]:
    """Keep what is written to the process's standard error, but not by Python, off the terminal.

    TensorFlow writes there as it starts, before it can be told not to. Nothing is done where
    Python's own standard error is not the process's, as in a test or a notebook.
    """
    if not _is_stderr(sys.stderr):
        yield
        return
    with libraries_logged():
        yield


@contextmanager
def libraries_logged() -> Iterator[None]:
    """The same wherever Python's own standard error is: in a notebook, that is not the process's.

    What Python writes there is shown as ever.
    """
    before, ours = sys.stderr, os.dup(STDERR)
    if _is_stderr(before):
        before.flush()
        sys.stderr = _terminal(before.encoding)
    with tempfile.TemporaryFile() as noise:
        os.dup2(noise.fileno(), STDERR)
        try:
            yield
        finally:
            sys.stderr = before
            os.dup2(ours, STDERR)
            os.close(ours)
            _keep(noise)


@cache
def _terminal(encoding: str) -> TextIO:
    """The process's standard error as it is; never closed, as loggers made meanwhile keep it."""
    return os.fdopen(
        os.dup(STDERR), "w", buffering=1, encoding=encoding, errors="backslashreplace",
        closefd=False,
    )  # fmt: skip


def _is_stderr(stream: IO[str] | None) -> bool:
    try:
        return stream is not None and stream.fileno() == STDERR
    except (OSError, ValueError):
        return False


def _keep(noise: IO[bytes]) -> None:
    noise.seek(0)
    if not (text := noise.read(LARGEST)):
        return
    path = log_path()
    with suppress(OSError):  # a log that cannot be written is no reason to fail
        path.parent.mkdir(parents=True, exist_ok=True)
        full = path.is_file() and path.stat().st_size > LARGEST
        with path.open("wb" if full else "ab") as log:
            log.write(text)
