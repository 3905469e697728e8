"""Prepare a data set: run its TFDS builder, then derive manifest and facts from what it stored."""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import io
import re
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from benchmark.data.allocation import return_large_blocks
from benchmark.data.audit.copies import SCRATCH, Progress, find_copies
from benchmark.data.audit.findings import gate
from benchmark.data.audit.torn import torn_copies
from benchmark.data.building import alone, build, notes
from benchmark.data.discovery import Dataset
from benchmark.data.facts import (
    FACTS,
    METADATA,
    SPLITS,
    PreparedFacts,
    check_agreement,
    derive_again,
    make_again,
    read_prepared_facts,
    read_set_facts,
)
from benchmark.data.leakage import Leakage
from benchmark.data.manifest import MANIFEST, read_manifest
from benchmark.data.prepared import NotPrepared, Prepared, is_prepared, load_prepared, newest
from benchmark.data.shape_recording import record_shapes
from benchmark.data.shapes import SHAPES, read_shapes
from benchmark.data.sizes import read_sizes
from benchmark.errors import UserError
from benchmark.hashing import canonical_json, sha256, sha256_of_file
from benchmark.machine.accelerators import hidden_gpus
from benchmark.records.disk import is_disk_full, told
from benchmark.records.door import RecordError, write_record
from benchmark.records.facts import SplitCounts
from benchmark.records.files import replacing
from benchmark.records.spreadsheets import escaped

if TYPE_CHECKING:
    import pandas as pd

    from tfds_builders.journal import Journal


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
            if _derive(name, path, book, cache_dir, progress, set()):
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
            if torn := _derive(dataset.name, path, book, cache_dir, progress, known):
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


def keep_leakage(prepared: Prepared, leakage: Leakage) -> None:
    """Write what e.g. a newer audit found of a set that is prepared into its facts."""
    derived = _with_leakage(prepared.derived, leakage)
    if derived != prepared.derived:
        write_record(prepared.path / FACTS, derived)


def _with_leakage(derived: PreparedFacts, leakage: Leakage) -> PreparedFacts:
    return replace(derived, leakage_status=leakage.status, reasons=list(leakage.reasons))


def _derive(
    name: str,
    path: Path,
    book: Journal,
    cache_dir: Path | None,
    progress: Progress | None,
    known: Collection[tuple[str, ...]],
) -> tuple[tuple[str, ...], ...]:
    """Write manifest.csv, then prepared.json, whose presence says that all is complete.

    Args:
        book: the journal of the one process that may do this.
        known: groups of copies that the builder was told of.

    Returns:
        Further ones that its own split tore apart; prepared.json is then not written.
    """
    if book.alone:
        _remove_scratch(path)
    (path / SHAPES).unlink(missing_ok=True)  # of a manifest that is gone
    facts = read_set_facts(name, path)
    digest = _write_manifest(name, path, facts.findings)
    manifest = read_manifest(path / MANIFEST, digest, derive_again(name, path))
    derived = PreparedFacts(
        manifest_sha256=digest,
        metadata_sha256=sha256_of_file(path / METADATA),
        image_source=image_source(manifest, facts.original_size),
        counts={split: _counts(manifest, split, facts.findings) for split in SPLITS},
        test_digest=test_digest(manifest, facts.findings),
        leakage_status="suspected",  # until the copies in the whole set are known
        reasons=[],
    )
    copies = find_copies(Prepared(name, path.name, path, facts, derived), cache_dir, progress)
    if torn := torn_copies(manifest, facts.dealt, copies, known):
        return torn
    write_record(path / FACTS, _with_leakage(derived, gate(manifest, facts, copies)))
    return ()


def _remove_scratch(path: Path) -> None:
    """Remove what a killed process left in the folder of a version that it was preparing."""
    for scratch in path.glob(f"{SCRATCH}*"):
        shutil.rmtree(scratch)
    for temporary in path.glob(".*.tmp"):
        temporary.unlink()


def _write_manifest(name: str, path: Path, findings: list[str]) -> str:
    """Write it line by line, so that memory holds none of them; returns its SHA-256."""
    with replacing(path / MANIFEST) as file:
        text = io.TextIOWrapper(file, "utf-8", newline="")
        writer = None
        for split in SPLITS:
            for line in _manifest_lines(name, path, split, findings):
                if writer is None:
                    writer = csv.DictWriter(text, line, lineterminator="\n")
                    writer.writeheader()
                writer.writerow({key: escaped(value) for key, value in line.items()})
        text.detach()  # flushed, and left open
        file.flush()
        return sha256_of_file(Path(file.name))


def _manifest_lines(
    name: str, path: Path, split: str, findings: list[str]
) -> Iterator[dict[str, Any]]:
    from PIL import Image

    from benchmark.data.decode import raw_examples

    for example in raw_examples(path, split).as_numpy_iterator():
        if len(example.get("findings", ())) != len(findings):
            raise UserError(
                f"{path / METADATA}: names {len(findings)} findings, but the stored images have "
                f"{len(example.get('findings', ()))}. {make_again(name, path)}"
            )
        image = example["image"]
        width, height = Image.open(io.BytesIO(image)).size  # reads the header only
        line: dict[str, Any] = {
            "image_id": example["image_id"].decode(),
            "patient_id": example["patient_id"].decode(),
            "split": split,
            "sha256": hashlib.sha256(image).hexdigest(),
            "width": width,
            "height": height,
            "age": int(example["age"]),
        }
        line |= {key: example[key].decode() for key in ("sex", "view", "label_source")}
        if "mask" in example:
            line["mask_sha256"] = hashlib.sha256(example["mask"]).hexdigest()
            line["pairing"] = example["pairing"].decode()
        for number, finding in enumerate(findings):
            line[f"target:{finding}"] = int(example["findings"][number])
            line[f"labelled:{finding}"] = int(example["labelled"][number])
        yield line


def image_source(manifest: pd.DataFrame, original_size: int) -> str:
    """Whether the images have the size they were published in.

    Args:
        manifest: DataFrame with ``width`` and ``height`` in pixels.
        original_size: published pixels per side; 0 where published sizes vary.

    Returns:
        ``"original"``, ``"resized to <n> px"`` or ``"mixed sizes"``.
    """
    sizes = set(zip(manifest["width"], manifest["height"], strict=True))
    if len(sizes) == 1 and len(set(*sizes)) == 1:
        side = next(iter(sizes))[0]
        return "original" if side == original_size else f"resized to {side} px"
    return "original" if original_size == 0 else "mixed sizes"


def test_digest(manifest: pd.DataFrame, findings: list[str]) -> str:
    """SHA-256 of the sorted test (image_id, patient_id, targets): which test set this is."""
    test = manifest[manifest["split"] == "test"]
    columns = ["image_id", "patient_id"]
    columns += [f"{prefix}:{f}" for f in findings for prefix in ("target", "labelled")]
    lines = sorted(tuple(str(value) for value in line) for line in test[columns].to_numpy())
    return sha256(canonical_json(lines))


def _counts(manifest: pd.DataFrame, split: str, findings: list[str]) -> SplitCounts:
    part = manifest[manifest["split"] == split]
    return SplitCounts(
        images=len(part),
        patients=int(part["patient_id"].nunique()),
        positives={f: int((part[f"target:{f}"] * part[f"labelled:{f}"]).sum()) for f in findings},
    )
