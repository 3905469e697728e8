"""Prepare a data set: run its TFDS builder, then derive manifest and facts from what it stored."""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import io
import os
import re
import shutil
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from msgspec.structs import replace

from benchmark.data.allocation import return_large_blocks
from benchmark.data.audit.copies import Progress, find_copies
from benchmark.data.audit.findings import gate
from benchmark.data.audit.torn import torn_copies
from benchmark.data.building import build
from benchmark.data.discovery import Dataset
from benchmark.data.facts import (
    FACTS,
    METADATA,
    SPLITS,
    PreparedFacts,
    derive_again,
    make_again,
    read_set_facts,
)
from benchmark.data.leakage import Leakage
from benchmark.data.manifest import MANIFEST, read_manifest
from benchmark.data.prepared import Prepared, load_prepared
from benchmark.data.shape_recording import record_shapes
from benchmark.data.shapes import SHAPES
from benchmark.data.sizes import read_sizes
from benchmark.errors import UserError
from benchmark.hashing import canonical_json, sha256, sha256_of_file
from benchmark.machine.accelerators import hidden_gpus
from benchmark.records.door import write_record
from benchmark.records.files import is_disk_full, remove_abandoned
from benchmark.records.row import SplitCounts

if TYPE_CHECKING:
    import pandas as pd


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

    What is prepared stays as it is. A set that was prepared before the shapes of files were
    recorded gets these.

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
    from tfds_builders.errors import DatasetError

    return_large_blocks()
    try:
        if not dataset.embedded:
            dataset.locate(manual_dir)
        path = _made(dataset, data_dir, manual_dir, cache_dir, progress, beam)
        prepared = load_prepared(dataset.name, data_dir)
        if sizes or not (path / SHAPES).is_file():
            ids = prepared.manifest()["image_id"]
            given = read_sizes(sizes, ids) if sizes else {}
            record_shapes(prepared, dataset.original_shapes(manual_dir) | given)
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
    return prepared


def _made(
    dataset: Dataset,
    data_dir: Path,
    manual_dir: Path | None,
    cache_dir: Path | None,
    progress: Progress | None,
    beam: str | None,
) -> Path:
    """Build and derive a set, where it is not; returns the folder of its version.

    Copies are known when images are stored. Where a builder's own split tore some apart, it deals
    the images out once more with these together.
    """
    path = build(dataset, data_dir, manual_dir, beam)
    while not (path / FACTS).is_file():
        torn = _derive(dataset.name, path, cache_dir, progress, set(dataset.copies))
        if not torn:
            break
        dataset = dataclasses.replace(dataset, copies=dataset.copies + torn)
        shutil.rmtree(path)
        path = build(dataset, data_dir, manual_dir, beam)
    return path


def _of_the_system(error: Exception, data_dir: Path, manual_dir: Path | None) -> str:
    """What to tell a person of an error that is the system's and not ours; else ""."""
    if is_disk_full(error):
        return (
            f"no room is left in {data_dir}. Free some, as much as the images take once more, or "
            "choose another --data-dir, and run the same command again: what was checked already "
            "is not checked again."
        )
    if isinstance(error, PermissionError):
        place = Path(error.filename or data_dir)
        doing = "read" if manual_dir and place.is_relative_to(manual_dir) else "write to"
        return f"cannot {doing} {place}: {error.strerror or 'permission denied'}."
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
    cache_dir: Path | None,
    progress: Progress | None,
    known: Collection[tuple[str, ...]],
) -> tuple[tuple[str, ...], ...]:
    """Write manifest.csv, then prepared.json, whose presence says that all is complete.

    Both are the same whoever writes them and are put in their place whole, so that several
    processes may do this at a time.

    Args:
        known: groups of copies that the builder was told of.

    Returns:
        Further ones that its own split tore apart; prepared.json is then not written.
    """
    remove_abandoned(path.parent)
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


def _write_manifest(name: str, path: Path, findings: list[str]) -> str:
    """Write it line by line, so that memory holds none of them; returns its SHA-256."""
    with _replacing(path / MANIFEST) as file:
        writer = None
        for split in SPLITS:
            for line in _manifest_lines(name, path, split, findings):
                if writer is None:
                    writer = csv.DictWriter(file, line, lineterminator="\n")
                    writer.writeheader()
                writer.writerow(line)
        file.flush()
        return sha256_of_file(Path(file.name))


@contextmanager
def _replacing(path: Path) -> Iterator[TextIO]:
    """A text file under a temporary name that takes the place of ``path`` when it is complete."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    os.close(handle)
    try:
        with Path(temporary).open("w", encoding="utf-8", newline="") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)  # mkstemp makes private files
        Path(temporary).replace(path)
    finally:
        Path(temporary).unlink(missing_ok=True)


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
