"""Prepare a data set: run its TFDS builder, then derive manifest and facts from what it stored."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from benchmark.data.allocation import return_large_blocks
from benchmark.data.audit.copies import Progress
from benchmark.data.building import alone, build, notes
from benchmark.data.deriving import derive
from benchmark.data.discovery import Dataset
from benchmark.data.facts import (
    FACTS,
    check_agreement,
    derive_again,
    make_again,
    read_prepared_facts,
    read_set_facts,
)
from benchmark.data.manifest import MANIFEST, read_manifest
from benchmark.data.prepared import NotPrepared, Prepared, is_prepared, load_prepared, newest
from benchmark.data.shape_recording import record_shapes
from benchmark.data.shapes import SHAPES, read_shapes
from benchmark.data.sizes import read_sizes
from benchmark.errors import UserError
from benchmark.machine.accelerators import hidden_gpus
from benchmark.records.disk import is_disk_full, told
from benchmark.records.door import RecordError


@hidden_gpus()  # images are read and written on the CPU; workers have the GPUs
def prepare(
    dataset: Dataset,
    data_dir: Path,
    manual_dir: Path | None,
    cache_dir: Path | None = None,
    progress: Progress | None = None,
    beam: str | None = None,
    sizes: Path | None = None,
) -> Prepared:
    """Prepare a data set where it is not, and return its facts.

    What is prepared stays as it is, and needs no raw files. A set that was prepared before the
    shapes of files were recorded gets these. While another process prepares the set, this waits.

    Args:
        dataset: what to prepare.
        data_dir: TFDS data folder, written to.
        manual_dir: the user's copy of the raw files; None for embedded sets.
        cache_dir: folder of the views, one of which the audit looks at; None keeps none.
        progress: told how far the audit is.
        beam: options of an Apache Beam pipeline to run the builder in; None for no pipeline.
        sizes: a table of the original sizes of its images (see :mod:`benchmark.data.sizes`), which
            counts more than what else is known of them; None for none.

    Raises:
        UserError: the raw files are missing or laid out in another way, a folder cannot be read
            or written or is full, Beam is asked for and is not there, or ``sizes`` is no such
            table.
    """
    return_large_blocks()
    with _told(dataset, data_dir, manual_dir):
        if manual_dir or dataset.embedded or not is_prepared(dataset.name, data_dir):
            if not dataset.embedded:
                dataset.locate(manual_dir)
            _make(dataset, data_dir, manual_dir, cache_dir, progress, beam)
        prepared = load_prepared(dataset.name, data_dir)
        _record_shapes(dataset, prepared, manual_dir, sizes)
    return prepared


def _record_shapes(
    dataset: Dataset, prepared: Prepared, manual_dir: Path | None, sizes: Path | None
) -> None:
    """Add what an earlier version of this project did not record, or a user's table now tells."""
    if (prepared.path / SHAPES).is_file() and not sizes:
        return
    ids = prepared.manifest()["image_id"]
    given = read_sizes(sizes, ids) if sizes else {}
    try:
        record_shapes(prepared, dataset.original_shapes(manual_dir) | given)
    except OSError:
        if sizes:
            raise  # else the set is as good as it was


def mend(
    dataset: Dataset,
    data_dir: Path,
    cache_dir: Path | None = None,
    progress: Progress | None = None,
) -> str:
    """List the stored images of a prepared set again where what was listed is damaged.

    Arguments are those of :func:`prepare`.

    Returns:
        What was damaged; empty where nothing was, or nothing is prepared.

    Raises:
        UserError: what cannot be made from the stored images is damaged, too.
    """
    name = dataset.name
    try:
        path = newest(name, data_dir)
    except NotPrepared:
        return ""
    if not (problem := _damage(name, path)):
        return ""
    with _told(dataset, data_dir, None), alone(name, path) as book:
        if _damage(name, path):  # no other process was first
            (path / FACTS).unlink(missing_ok=True)
            if derive(name, path, book, cache_dir, progress, set()):
                raise UserError(f"copies lie in several splits. {make_again(name, path)}")
    return problem


def _damage(name: str, path: Path) -> str:
    """What is wrong with what was derived from the stored images of a set; empty if nothing.

    Raises:
        RecordError: the builder's facts were changed. They are never taken as they are.
    """
    try:
        derived = read_prepared_facts(name, path)
    except RecordError as error:
        return str(error)
    facts = read_set_facts(name, path, derived.metadata_sha256)
    todo = derive_again(name, path)
    try:
        check_agreement(name, path, facts, derived)
        manifest = read_manifest(path / MANIFEST, derived.manifest_sha256, todo)
        read_shapes(path, derived.manifest_sha256, manifest["image_id"].tolist())
    except RecordError as error:
        return str(error)
    return ""


def _make(
    dataset: Dataset,
    data_dir: Path,
    manual_dir: Path | None,
    cache_dir: Path | None,
    progress: Progress | None,
    beam: str | None,
) -> None:
    """Build and derive a set, where it is not.

    Copies are known when images are stored. Where a builder's own split tore some apart, it deals
    the images out once more with these together.
    """
    path = dataset.folder(data_dir)
    if (path / FACTS).is_file():
        with suppress(OSError):  # of a process that was killed at its very end
            notes(path).unlink()
        return
    with alone(dataset.name, path) as book:
        while not (path / FACTS).is_file():
            build(dataset, data_dir, manual_dir, beam)
            known = set(dataset.copies)
            if torn := derive(dataset.name, path, book, cache_dir, progress, known):
                dataset = dataclasses.replace(dataset, copies=dataset.copies + torn)
                book.discard(path)


@contextmanager
def _told(dataset: Dataset, data_dir: Path, manual_dir: Path | None) -> Iterator[None]:
    """Raise what goes wrong inside as a UserError, where a person can put it right."""
    from tfds_builders.errors import DatasetError

    try:
        yield
    except DatasetError as error:
        # Some messages begin with the builder's name, for people who do not come by here.
        said = re.sub(f"^{dataset.name.split('/')[0]}(/{dataset.config})?: ", "", str(error))
        raise UserError(f"{dataset.name}: {said}") from None
    except UserError:
        raise
    except Exception as error:  # of a full disk, TFDS and TensorFlow have types of their own
        said = _of_the_system(error, data_dir, manual_dir)
        if not said:
            raise
        raise UserError(f"{dataset.name}: {said}") from error


def _of_the_system(error: Exception, data_dir: Path, manual_dir: Path | None) -> str:
    """What to tell a person of an error that is the system's and not ours; else ""."""
    if is_disk_full(error):
        return (
            f"no room is left in {data_dir}. Free some, as much as the images take once more, or "
            "choose another --data-dir, and run the same command again: what was checked already "
            "is not checked again."
        )
    if isinstance(error, OSError) and error.filename:
        place = Path(error.filename)
        doing = "read" if manual_dir and place.is_relative_to(manual_dir) else "write to"
        return f"cannot {doing} {told(error)}"
    return ""
