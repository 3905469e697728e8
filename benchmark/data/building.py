"""Run a TFDS builder for a set: memory bounded, progress said, resumed after a kill."""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark.data.discovery import Dataset

if TYPE_CHECKING:
    from tfds_builders.journal import Journal

SHUFFLE_BYTES = 64 * 2**20
"""Examples that are kept in memory until they are written to disk to be put into their order."""

SECONDS = 20
"""Time between two lines of progress where there is no terminal."""


def build(
    dataset: Dataset, data_dir: Path, manual_dir: Path | None, beam: str | None = None
) -> Path:
    """Prepare a set with its builder where it is not; returns the folder of its version.

    An attempt that was killed leaves a journal beside that folder, ``<version>.journal``: the next
    one removes what the dead one had written and reads and writes all of it again, as TFDS cannot
    take up a split in the middle, but decodes no image that had been checked. A pipeline of Beam
    keeps no journal of images: it checks all of them again.

    Args:
        dataset: what to prepare.
        data_dir: TFDS data folder.
        manual_dir: the user's copy of the raw files.
        beam: options of the Apache Beam pipeline to do it in; None for no pipeline.

    Raises:
        tfds_builders.errors.DatasetError: the raw files cannot be used, or Beam is asked for and is
            not there or of no use.
    """
    import tensorflow_datasets as tfds
    from absl import logging

    logging.set_verbosity(logging.ERROR)  # TFDS warns of every set that it has not in a list
    config = dataset.builder_config(manual_dir)
    builder = dataset.builder_class(data_dir=data_dir, config=config)
    path = Path(builder.data_dir)
    if path.is_dir():
        return path
    beam_options = _beam_options(builder, beam)
    if not sys.stderr.isatty():
        tfds.disable_progress_bar()
    with alone(dataset.name, path) as book, _little_memory():
        _tell_resumed(dataset.name, book)
        _follow(builder, dataset.name, book)
        download = tfds.download.DownloadConfig(manual_dir=manual_dir, beam_options=beam_options)
        # TFDS prints that it downloads a set of unknown size, which is neither true nor of use.
        with redirect_stdout(io.StringIO()):
            builder.download_and_prepare(download_config=download)
    return path


@contextmanager
def alone(name: str, path: Path) -> Iterator[Journal]:
    """Be the one process that prepares a version of a set; wait while there is another one.

    Args:
        name: of the set.
        path: folder of the version, made or to be made.
    """
    from tfds_builders import journal

    def waiting() -> None:
        _say(f"{name}: another process is preparing it just now; waiting for that one ...")

    with journal.opened(notes(path), waiting) as book:
        yield book


def notes(path: Path) -> Path:
    """The journal of a version that is being prepared."""
    return path.with_name(f"{path.name}.journal")


def _beam_options(builder: Any, beam: str | None) -> Any:
    from tfds_builders import pipeline
    from tfds_builders.errors import DatasetError
    from tfds_builders.generating import FromFiles

    if beam is None:
        return None
    if not isinstance(builder, FromFiles):
        raise DatasetError("it is made in place and reads no files: Beam is of no use for it.")
    return pipeline.options(beam)


@contextmanager
def _little_memory() -> Iterator[None]:
    """Let TFDS sort on disk what is more than ``SHUFFLE_BYTES``, for as long as the context lasts.

    TFDS keeps up to 1 GB of each split in memory, so that its memory grows with the set up to that
    size. The order of the examples is the same either way. Whoever calls ``tfds.load`` without the
    benchmark keeps the limit of TFDS.
    """
    from tensorflow_datasets.core import shuffle

    before = shuffle.MAX_MEM_BUFFER_SIZE
    shuffle.MAX_MEM_BUFFER_SIZE = SHUFFLE_BYTES
    try:
        yield
    finally:
        shuffle.MAX_MEM_BUFFER_SIZE = before


def _tell_resumed(name: str, book: Any) -> None:
    if book.remove_dead() or book.known:
        _say(f"{name}: an earlier attempt was killed; {len(book.known):,} images are checked.")


def _follow(builder: Any, name: str, book: Any) -> None:
    """Note in which folder a builder works, and say how far it is where no bar is shown."""
    split_generators = builder._split_generators

    def followed(dl_manager: Any) -> dict[str, Any]:
        # While TFDS generates, the builder's folder is the temporary one.
        book.attempt(Path(builder.data_dir).name)
        found = split_generators(dl_manager)
        told = {s: _told(e, f"{name}, {s}") for s, e in found.items() if isinstance(e, Iterator)}
        return {**found, **told}  # what a pipeline of Beam makes does not come by here

    builder._split_generators = followed


def _told(examples: Iterator, what: str) -> Iterator:
    if sys.stderr.isatty():
        yield from examples
        return
    start = said = time.monotonic()
    count = 0
    for example in examples:
        yield example
        count += 1
        now = time.monotonic()
        if now - said > SECONDS:
            said = now
            _say(f"{what}: {count:,} examples, {count / (now - start):.0f} a second")
    _say(f"{what}: {count:,} examples read and checked")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
