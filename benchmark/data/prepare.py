"""Prepare a data set: run its TFDS builder, then derive manifest and facts from what it stored."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from pathlib import Path
from typing import Any

from benchmark.data.allocation import return_large_blocks
from benchmark.data.audit.copies import Progress, find_copies
from benchmark.data.audit.findings import gate
from benchmark.data.building import build
from benchmark.data.discovery import Dataset
from benchmark.data.leakage import Verdict
from benchmark.data.prepared import (
    FACTS,
    MANIFEST,
    SPLITS,
    Prepared,
    load_prepared,
)
from benchmark.errors import UserError
from benchmark.records.files import (
    canonical_json,
    is_disk_full,
    readable_json,
    sha256,
    sha256_of_file,
    write_atomic,
)


def prepare(
    dataset: Dataset,
    data_dir: Path,
    manual_dir: Path | None,
    cache_dir: Path | None = None,
    progress: Progress | None = None,
    beam: str | None = None,
) -> Prepared:
    """Prepare a data set where it is not, and return its facts.

    Args:
        dataset: what to prepare.
        data_dir: TFDS data folder, written to.
        manual_dir: the user's copy of the raw files; None for embedded sets.
        cache_dir: folder of the views, one of which the audit looks at; None keeps none.
        progress: told how far the audit is.
        beam: options of an Apache Beam pipeline to run the builder in; None for no pipeline.

    Raises:
        UserError: the raw files are missing or laid out in another way, a folder cannot be read
            or written or is full, or Beam is asked for and is not there.
    """
    from tfds_builders.errors import DatasetError

    return_large_blocks()
    try:
        if not dataset.embedded:
            dataset.locate(manual_dir)
        path = build(dataset, data_dir, manual_dir, beam)
        if not (path / FACTS).is_file():
            _derive(dataset.name, path, cache_dir, progress)
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
    return load_prepared(dataset.name, data_dir)


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


def keep_verdict(prepared: Prepared, verdict: Verdict) -> None:
    """Write a new verdict on a set that is prepared, e.g. by a newer audit, into its facts."""
    facts = {**prepared.derived, "verdict": verdict.name, "reasons": list(verdict.reasons)}
    if facts != prepared.derived:
        write_atomic(prepared.path / FACTS, readable_json(facts))


def _derive(name: str, path: Path, cache_dir: Path | None, progress: Progress | None) -> None:
    """Write manifest.csv, then prepared.json, whose presence says that all is complete."""
    import json

    metadata = json.loads((path / "metadata.json").read_bytes())
    _write_manifest(path, metadata["findings"])
    facts = {"manifest_sha256": sha256_of_file(path / MANIFEST)}
    prepared = Prepared(name, path.name, path, metadata, facts)
    manifest = prepared.manifest()
    facts |= {
        "rendition": rendition(manifest, metadata["original_size"]),
        "counts": {split: _counts(manifest, split, metadata["findings"]) for split in SPLITS},
        "test_digest": test_digest(manifest, metadata["findings"]),
    }
    keep_verdict(prepared, gate(manifest, metadata, find_copies(prepared, cache_dir, progress)))


def _write_manifest(path: Path, findings: list[str]) -> None:
    """Line by line, so that memory holds none of them; prepared.json says that it is complete."""
    with (path / MANIFEST).open("w", encoding="utf-8", newline="") as file:
        writer = None
        for split in SPLITS:
            for line in _manifest_lines(path, split, findings):
                if writer is None:
                    writer = csv.DictWriter(file, line, lineterminator="\n")
                    writer.writeheader()
                writer.writerow(line)


def _manifest_lines(path: Path, split: str, findings: list[str]):
    from PIL import Image

    from benchmark.data.decode import raw_examples

    for example in raw_examples(path, split).as_numpy_iterator():
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


def rendition(manifest, original_size: int) -> str:
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


def test_digest(manifest, findings: list[str]) -> str:
    """SHA-256 of the sorted test (image_id, patient_id, targets): which test set this is."""
    test = manifest[manifest["split"] == "test"]
    columns = ["image_id", "patient_id"]
    columns += [f"{prefix}:{f}" for f in findings for prefix in ("target", "labelled")]
    lines = sorted(tuple(str(value) for value in line) for line in test[columns].to_numpy())
    return sha256(canonical_json(lines))


def _counts(manifest, split: str, findings: list[str]) -> dict[str, Any]:
    part = manifest[manifest["split"] == split]
    return {
        "images": len(part),
        "patients": int(part["patient_id"].nunique()),
        "positives": {
            f: int((part[f"target:{f}"] * part[f"labelled:{f}"]).sum()) for f in findings
        },
    }
