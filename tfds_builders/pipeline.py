"""A split made by Apache Beam, which TFDS then sorts and writes.

The workers may be threads, processes or machines. What they send back beside the examples is small:
a line for each image that was converted or refused, written as one file where TFDS writes the set.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from tfds_builders import images
from tfds_builders.errors import DatasetError
from tfds_builders.images import Checked, Header
from tfds_builders.ingest_report import IngestReport, Item

_PART = 32
"""Images that a worker takes at once."""

_LOCAL = ("--runner=FnApiRunner", "--direct_running_mode=multi_threading", "--direct_num_workers=0")
_ODD = "odd"


def options(text: str) -> Any:
    """Options of a pipeline, ``"runner=FlinkRunner,flink_master=host:8081"``.

    Without a runner it is Beam's own on this machine, with a thread for each core. (Its name is
    not ``DirectRunner``, which first tries to download another one.)

    Raises:
        DatasetError: Beam is not installed.
    """
    beam = _beam()
    given = [f"--{option.strip()}" for option in text.split(",") if option.strip()]
    if not any(option.startswith("--runner=") for option in given):
        given = [*_LOCAL, *given]
    return beam.options.pipeline_options.PipelineOptions(given)


def cut(items: Sequence[Item]) -> list[Sequence[Item]]:
    """Parts of a few items each."""
    return [items[start : start + _PART] for start in range(0, len(items), _PART)]


def transform(parts: Sequence[Sequence[Item]], read: Callable, making: Any, notes: Path) -> Any:
    """The examples of a split, as a transform; the account is written to ``notes``.

    Raises:
        DatasetError: Beam is not installed.
    """
    beam = _beam()

    def write(lines: list[tuple[str, bool, str, Header | None]]) -> None:
        notes.write_text(json.dumps(lines), encoding="utf-8")

    def expand(root: Any) -> Any:
        made = (
            root
            | "Parts" >> beam.Create(parts)
            | "Make" >> beam.FlatMap(_make, read, making).with_outputs(_ODD, main="examples")
        )
        _ = made[_ODD] | "Account" >> beam.combiners.ToList() | "Write" >> beam.Map(write)
        return made["examples"]

    return beam.ptransform_fn(expand)()


def take_account(
    notes: Path, split: str, parts: Sequence[Sequence[Item]], ingest: IngestReport
) -> None:
    """Take the account of a split that a pipeline made, in the order of its images."""
    odd = {name: said for name, *said in json.loads(notes.read_bytes())}
    notes.unlink()
    admitted = 0
    for item in chain.from_iterable(parts):
        kept, reason, header = odd.get(item.name, (True, "", None))
        header = header and Header(*header)
        ingest.take(item, Checked(b"" if kept else None, reason, header))
        admitted += kept
    ingest.close(split, admitted)


def _make(part: Sequence[Item], read: Callable, making: Any) -> Iterator[Any]:
    tagged = _beam().pvalue.TaggedOutput
    with images.silenced():
        for item, content in read(part):
            checked = making.check(item, content)
            kept = checked.data is not None
            if checked.reason:
                yield tagged(_ODD, (item.name, kept, checked.reason, checked.header))
            if kept:
                yield making.example(item, checked)


def _beam() -> Any:
    try:
        import apache_beam
    except ImportError:
        raise DatasetError(
            "Apache Beam is not installed. Install it into an environment of its own (it asks for "
            "an older protobuf): pip install 'cxr-bench[beam]'. Or prepare without it."
        ) from None
    return apache_beam
