"""What is derived from the stored images of a data set: its manifest, then its facts."""

from __future__ import annotations

import csv
import hashlib
import io
import shutil
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from benchmark.data.audit.copies import SCRATCH, Progress, find_copies
from benchmark.data.audit.findings import gate
from benchmark.data.audit.torn import torn_copies
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
from benchmark.data.prepared import Prepared
from benchmark.data.shapes import SHAPES
from benchmark.errors import UserError
from benchmark.hashing import canonical_json, sha256, sha256_of_file
from benchmark.records.door import write_record
from benchmark.records.facts import SplitCounts
from benchmark.records.files import replacing
from benchmark.records.spreadsheets import escaped

if TYPE_CHECKING:
    import pandas as pd

    from tfds_builders.journal import Journal


def keep_leakage(prepared: Prepared, leakage: Leakage) -> None:
    """Write what e.g. a newer audit found of a set that is prepared into its facts."""
    derived = _with_leakage(prepared.derived, leakage)
    if derived != prepared.derived:
        write_record(prepared.path / FACTS, derived)


def _with_leakage(derived: PreparedFacts, leakage: Leakage) -> PreparedFacts:
    return replace(derived, leakage_status=leakage.status, reasons=list(leakage.reasons))


def derive(
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
