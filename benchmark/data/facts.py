"""What is known of a prepared set: the types of its two files of facts, and how they are read.

``metadata.json`` is the builder's, written by TFDS; ``prepared.json`` is what was derived from the
stored images, sealed (see :mod:`benchmark.records.door`), with the hashes of the other two files.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from benchmark.hashing import sha256
from benchmark.records.door import RecordError, parse_record, record_bytes
from benchmark.records.facts import Count, LeakageStatus, ProbeFacts, Record, SplitCounts
from benchmark.records.predictions import SPLITS
from benchmark.spec import Sha256

METADATA = "metadata.json"
FACTS = "prepared.json"
PREPARED_SCHEMA: Literal[2] = 2


class FileNote(msgspec.Struct, frozen=True, omit_defaults=True):
    """A raw file that was left out or converted, and why.

    Attributes:
        bits, channels: how a converted file stored a pixel; None where nobody noted it.
    """

    file: str
    reason: str
    bits: Count | None = None
    channels: Count | None = None


class Suspected(msgspec.Struct, frozen=True):
    """Two splits between which equal patient ids do not prove the same patient, and why."""

    splits: tuple[str, str]
    reason: str


class Box(msgspec.Struct, frozen=True):
    """Where a radiologist saw a finding: left, top, width, height in pixels as published."""

    image_id: str
    finding: str
    x: float
    y: float
    w: float
    h: float


class Withheld(Record, frozen=True):
    """The class that a screening protocol keeps for the test, the normal one, and all of them."""

    withheld: str
    normal: str
    findings: list[str]


class SetFacts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a builder says of its set; see ``metadata`` in ``tfds_builders/example.py``.

    Further facts of one builder may stand in the file; they are left out here.

    Attributes:
        quarantined, converted: raw files that were left out, or entered with other bytes.
        patients_unknown: the source does not say which images are of one patient.
        mask_definition, unsafe_for: of a set of masks, what it calls lung, and the builders whose
            test images may be among its own.
        listed, absent, fraction: of a set whose source has tables: images that they list, how many
            of these are not in this copy, and the share that is.
        boxes: of ChestX-ray14.
        options: of a user's own set, how it was read.
        dealt: of such a set, the splits between which the builder dealt out images.
        notes: of such a set, what was taken for what.
        probe, screening: never in the file; of a set as a probe or a screening protocol sees it.
    """

    findings: list[str]
    kind: Literal["binary", "multilabel", "multiclass", "segmentation"]
    label_version: str
    split_source: str
    licence: str
    citation: str
    redistributable: bool
    projections: list[str]
    original_size: Count
    suspected: list[Suspected]
    simulated: bool
    quarantined: list[FileNote]
    converted: list[FileNote]
    patients_unknown: bool = False
    mask_definition: str = ""
    unsafe_for: list[str] = []
    listed: Count | None = None
    absent: Count = 0
    fraction: float = 1.0
    boxes: list[Box] = []
    options: dict[str, str | int | bool | list[str]] | None = None
    dealt: list[str] = []
    notes: list[str] = []
    probe: ProbeFacts | None = None
    screening: Withheld | None = None


class PreparedFacts(Record, frozen=True, kw_only=True):
    """What ``prepare.py`` found in the stored images.

    Attributes:
        manifest_sha256: of ``manifest.csv``.
        metadata_sha256: of ``metadata.json``; None where the set was prepared before this was
            recorded, so that a change of that file is seen only where it contradicts another.
        image_source: stored as ``rendition``: ``"original"``, or how the copy was resized.
        test_digest: which test images, patients and targets these are.
        leakage_status, reasons: of the leakage audit.
    """

    schema: Literal[2] = PREPARED_SCHEMA
    manifest_sha256: Sha256
    metadata_sha256: Sha256 | None
    image_source: str = msgspec.field(name="rendition")
    counts: dict[str, SplitCounts]
    test_digest: Sha256
    leakage_status: LeakageStatus = msgspec.field(name="verdict")
    reasons: list[str]


class _FirstFormat(Record, frozen=True):
    """``prepared.json`` as it was first written: without a seal."""

    manifest_sha256: Sha256
    image_source: str = msgspec.field(name="rendition")
    counts: dict[str, SplitCounts]
    test_digest: Sha256
    leakage_status: LeakageStatus = msgspec.field(name="verdict")
    reasons: list[str]


def derive_again(name: str, folder: Path) -> str:
    """What to do where our own files in a set's folder cannot be used."""
    return f"Run `cxr-bench prepare {name}`: it lists the images that are stored in {folder} anew."


def make_again(name: str, folder: Path) -> str:
    """What to do where the builder's files in a set's folder cannot be used."""
    return (
        f"Put the original file back, or remove {folder} and run "
        f"`cxr-bench prepare {name} [--manual-dir DIR]`: it makes the set anew."
    )


def read_set_facts(name: str, folder: Path, expected: str | None = None) -> SetFacts:
    """The builder's facts of a prepared set.

    Args:
        name: ``<builder>/<config>``, for messages.
        folder: the set's TFDS version folder.
        expected: SHA-256 of the file, where it is known.

    Raises:
        RecordError: the file is missing, changed, or not of that type.
    """
    path, todo = folder / METADATA, make_again(name, folder)
    data = record_bytes(path, todo)
    if expected and sha256(data) != expected:
        raise RecordError(f"{path}: was changed after the set was prepared. {todo}")
    try:
        facts = msgspec.json.decode(data, type=SetFacts)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise RecordError(f"{path}: not the metadata of a data set ({error}). {todo}") from None
    if problem := _contradiction(facts):
        raise RecordError(f"{path}: {problem}. {todo}")
    return msgspec.structs.replace(facts, probe=None, screening=None)


def read_prepared_facts(name: str, folder: Path) -> PreparedFacts:
    """What was derived from a prepared set; a file of the first format has no metadata's hash.

    Raises:
        RecordError: the file is missing, changed, or not of that type.
    """
    path, todo = folder / FACTS, derive_again(name, folder)
    data = record_bytes(path, todo)
    try:
        first = msgspec.json.decode(data, type=_FirstFormat)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return parse_record(data, path, PreparedFacts, todo, schema=PREPARED_SCHEMA)
    return PreparedFacts(metadata_sha256=None, **msgspec.structs.asdict(first))


def check_unhashed(name: str, folder: Path, facts: SetFacts, listed: list[str]) -> None:
    """Raise a RecordError where metadata without a recorded hash name other findings.

    Args:
        listed: the findings of the manifest, whose hash is recorded.
    """
    if facts.findings != listed:
        raise RecordError(
            f"{folder / METADATA}: names other findings than the manifest beside it, which lists "
            f"{', '.join(listed) or 'none'}. {make_again(name, folder)}"
        )


def check_agreement(name: str, folder: Path, facts: SetFacts, derived: PreparedFacts) -> None:
    """Raise a RecordError where what was derived is not about the builder's splits and findings."""
    told = {split: sorted(counts.positives) for split, counts in derived.counts.items()}
    if told != dict.fromkeys(SPLITS, sorted(facts.findings)):
        raise RecordError(
            f"{folder / FACTS}: does not count the splits and findings of {folder / METADATA}. "
            f"{derive_again(name, folder)}"
        )


def _contradiction(facts: SetFacts) -> str:
    """Why the findings cannot be those of this kind; empty where they can."""
    n = len(facts.findings)
    allowed = {0: ("segmentation",), 1: ("binary",)}.get(n, ("multilabel", "multiclass"))
    if facts.kind not in allowed:
        return f"a {facts.kind} set cannot have {n} finding(s)"
    return "" if len(set(facts.findings)) == n else "a finding stands there twice"
