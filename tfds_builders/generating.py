"""From the files of a split to its examples: on all cores, or in a pipeline of Apache Beam.

Both ways take the same steps, so that they store the same bytes::

    read     an item to the content of its file or files, one after another
    check    the content to what enters the set, or why not; where the time goes
    take     the account of it, kept in the process that TFDS runs in (see ``ingest.py``)
    example  what was checked to the example that is stored

The plain way reads and takes account in one thread and checks in many. A pipeline reads, checks and
makes examples anywhere, and brings home what was not kept as it was: the account is taken when the
pipeline is done. Beam is used where TFDS is told of it, by ``beam_runner`` or ``beam_options`` of
its ``DownloadConfig``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

from tfds_builders import images, pipeline
from tfds_builders.errors import DatasetError, Unreadable, last_line
from tfds_builders.images import Checked
from tfds_builders.ingest_report import IngestReport, Item
from tfds_builders.parallel import in_order

Contents = Iterator[tuple[Item, Any]]
"""Items with what was read: the bytes of a file, or Unreadable, or whatever a builder checks."""

Read = Callable[[Iterable[Item]], Contents]


C = TypeVar("C", bound=Checked)


@dataclass(frozen=True)
class Making(Generic[C]):
    """How an item that was read becomes an example; both functions can be pickled for a pipeline.

    Attributes:
        check: item, its content or Unreadable -> Checked.
        example: item, Checked with data -> key, example.
    """

    check: Callable[[Item, Any], C]
    example: Callable[[Item, C], tuple[str, dict]]


class FromFiles:
    """Mixin of the builders that make their examples from files, before the one of TFDS."""

    data_dir: str

    def _download_and_prepare(self, dl_manager: Any, download_config: Any) -> None:
        self._in_beam = bool(download_config.beam_runner or download_config.beam_options)
        self._accounts: list[Callable[[], None]] = []
        try:
            builder = cast(Any, super())  # the one of TFDS
            builder._download_and_prepare(dl_manager, download_config)
        except DatasetError:
            raise
        except Exception as error:  # what a runner raises is its own affair
            if not self._in_beam:
                raise
            raise DatasetError(f"the Beam pipeline failed: {last_line(error)}") from error

    def _process_pipeline_result(self, pipeline_result: Any) -> None:
        for take_account in self._accounts:
            take_account()

    def _from_files(
        self, split: str, items: Sequence[Item], read: Read, making: Making, ingest: IngestReport
    ) -> Any:
        """What TFDS makes a split of whose files can be read in any order.

        Args:
            split: its name.
            items: its images.
            read: the contents of several items; every item comes once.
            making: how they become examples.
            ingest: takes the account.
        """
        if self._in_beam:
            return self._from_pipeline(split, pipeline.cut(items), read, making, ingest)
        return examples(split, read(items), making, ingest)

    def _from_pipeline(
        self,
        split: str,
        parts: Sequence[Sequence[Item]],
        read: Read,
        making: Making,
        ingest: IngestReport,
    ) -> Any:
        """The same as a transform of Beam, for which ``read`` and ``making`` are pickled.

        Args:
            parts: the images of the split, in groups that are cheap to read together.
        """
        notes = Path(self.data_dir) / f"{split}.account.json"
        self._accounts.append(lambda: pipeline.take_account(notes, split, parts, ingest))
        return pipeline.transform(parts, read, making, notes)


def by_name(read: Callable[[str], bytes]) -> Read:
    """Reads items one by one, each the file of its name, from a function that may raise Unreadable.

    The reader can be pickled where the function can.
    """
    return partial(_by_name, read)


def _by_name(read: Callable[[str], bytes], items: Iterable[Item]) -> Contents:
    for item in items:
        try:
            yield item, read(item.name)
        except Unreadable as error:
            yield item, error


def examples(
    split: str, found: Contents, making: Making, ingest: IngestReport, workers: int | None = None
) -> Iterator[tuple[str, dict]]:
    """Examples of a split in the order of its items, checked on all cores.

    Args:
        split: its name.
        found: items with their contents; drawn a few ahead, so that memory holds a few images a
            core.
        making: how they become examples.
        ingest: takes the account.
        workers: threads; None takes one for each core.
    """
    admitted = 0
    for item, checked in check_all(found, making.check, workers):
        ingest.take(item, checked)
        if checked.data is not None:
            admitted += 1
            yield making.example(item, checked)
    ingest.close(split, admitted)


def check_all(
    found: Contents, check: Callable[[Item, Any], C], workers: int | None = None
) -> Iterator[tuple[Item, C]]:
    """Check many files on all cores; outcomes come in the order of the files."""
    with images.silenced():
        yield from in_order(lambda one: (one[0], check(*one)), found, workers)
