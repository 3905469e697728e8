"""Facts about a prepared data set, read from disk without TensorFlow.

A prepared set is a TFDS version folder, ``<data_dir>/<builder>/<config>/<version>/``. Beside
TFDS's own files it holds three of ours (see ``prepare.py``): ``manifest.csv``, one line per image,
``prepared.json``, the facts derived from it, and ``shapes.json``, what is known of the original
files. The first is checked against its hash in the second, the others against their seals, before
anything in them is used.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmark.data.facts import (
    FACTS,
    SPLITS,
    PreparedFacts,
    SetFacts,
    check_agreement,
    check_unhashed,
    derive_again,
    read_prepared_facts,
    read_set_facts,
)
from benchmark.data.manifest import LABELLED, MANIFEST, TARGET, listed_findings, read_manifest
from benchmark.data.shapes import SHAPES, Shapes, read_shapes
from benchmark.errors import UserError
from benchmark.hashing import sha256_of_file
from benchmark.records.facts import SplitCounts
from benchmark.task import Task

DESCRIBED = ("image_id", "patient_id", "age", "sex", "view")
"""What a manifest says of an image beside its targets, and predictions say again."""

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "FACTS",
    "MANIFEST",
    "SPLITS",
    "ManifestPart",
    "NotPrepared",
    "Prepared",
    "load_prepared",
    "prepared_as",
]


class NotPrepared(UserError):
    """The data set is not prepared in this data folder.

    Attributes:
        name: of the set.
        others: sets of the same builder that are prepared there, among them one's own.
    """

    def __init__(self, name: str, data_dir: Path):
        self.name = name
        builder = name.partition("/")[0]
        found = {path.parents[1].name for path in (data_dir / builder).glob(f"*/*/{FACTS}")}
        self.others = [f"{builder}/{config}" for config in sorted(found)]
        there = f" Prepared there: {', '.join(self.others)}." if self.others else ""
        super().__init__(
            f"{name} is not prepared in {data_dir}.{there} "
            f"Run: cxr-bench prepare {name} [--manual-dir DIR]"
        )


@dataclass(frozen=True)
class Prepared:
    """A prepared data set.

    Attributes:
        name: ``<builder>/<config>``.
        version: TFDS version of the set.
        path: its TFDS version folder.
        facts: what the builder says of it.
        derived: what ``prepare.py`` found in it.
    """

    name: str
    version: str
    path: Path
    facts: SetFacts
    derived: PreparedFacts

    @property
    def holds_masks(self) -> bool:
        """True for a set of lung masks, which has no findings and no task."""
        return self.facts.kind == "segmentation"

    @property
    def task(self) -> Task:
        """Findings and kind.

        Raises:
            UserError: the set has no findings.
        """
        if self.holds_masks:
            raise UserError(
                f"{self.name} holds lung masks and no findings: a segmentation network can be "
                "trained on it, a classifier can not."
            )
        return Task(tuple(self.facts.findings), self.facts.kind)

    @property
    def manifest_sha256(self) -> str:
        """SHA-256 of the manifest: same images, patients, splits and labels, same hash."""
        return self.derived.manifest_sha256

    @property
    def image_source(self) -> str:
        """``"original"`` or ``"resized to <n> px"``."""
        return self.derived.image_source

    @property
    def counts(self) -> dict[str, SplitCounts]:
        """Images, patients and positive images per finding, by split."""
        return self.derived.counts

    def manifest(self) -> pd.DataFrame:
        """The manifest as a pandas DataFrame, one line per image in the order TFDS stores them.

        Columns: image_id, patient_id, split, sha256, width, height, age, sex, view, label_source,
        of masks mask_sha256 and pairing, then ``target:<finding>`` and ``labelled:<finding>``
        (0 or 1).

        Raises:
            RecordError: the file is missing, or was changed after the set was prepared.
        """
        return self._manifest

    @cached_property
    def _manifest(self) -> pd.DataFrame:
        todo = derive_again(self.name, self.path)
        return read_manifest(self.path / MANIFEST, self.manifest_sha256, todo)

    @cached_property
    def shapes(self) -> Shapes | None:
        """What is known of the original files; None where the set was prepared before that was.

        Raises:
            RecordError: the file, or the manifest, was changed.
        """
        ids = self.manifest()["image_id"].tolist()
        return read_shapes(self.path, self.manifest_sha256, ids)

    @property
    def shapes_sha256(self) -> str | None:
        """SHA-256 of the file of shapes; None where there is none."""
        path = self.path / SHAPES
        return sha256_of_file(path) if path.is_file() else None

    def part(self, split: str) -> ManifestPart:
        """The manifest of one split as arrays; errors as of :meth:`manifest`."""
        frame = self.manifest()
        frame = frame[frame["split"] == split]
        columns = {c: frame[c].to_numpy() for c in DESCRIBED}
        findings = self.facts.findings  # none in a set of lung masks
        targets = frame[[f"{TARGET}{f}" for f in findings]].to_numpy(np.float32)
        labelled = frame[[f"{LABELLED}{f}" for f in findings]].to_numpy(bool)
        return ManifestPart(**columns, targets=targets, labelled=labelled)


@dataclass(frozen=True)
class ManifestPart:
    """One split: ids (N,), metadata (N,), targets (N, F) float32 and labelled (N, F) bool."""

    image_id: np.ndarray
    patient_id: np.ndarray
    age: np.ndarray
    sex: np.ndarray
    view: np.ndarray
    targets: np.ndarray
    labelled: np.ndarray

    def __len__(self) -> int:
        """Number of images."""
        return len(self.image_id)

    def take(self, rows: np.ndarray) -> ManifestPart:
        """These lines, in this order, by number or by (N,) bool."""
        return ManifestPart(**{name: values[rows] for name, values in vars(self).items()})

    def counts(self, findings: Sequence[str]) -> SplitCounts:
        """Number of images, of patients, and of positive images of each finding."""
        positives = (self.targets * self.labelled).sum(axis=0).astype(int).tolist()
        return SplitCounts(
            images=len(self),
            patients=len(np.unique(self.patient_id)),
            positives=dict(zip(findings, positives, strict=True)),
        )

    @classmethod
    def joined(cls, parts: Iterable[ManifestPart]) -> ManifestPart:
        """The lines of several, one after the other."""
        columns = zip(*(vars(part).values() for part in parts), strict=True)
        return cls(*map(np.concatenate, columns))

    @property
    def described(self) -> dict[str, np.ndarray]:
        """What predictions say of each image beside its targets, (N,) each, by name."""
        return {name: getattr(self, name) for name in DESCRIBED}

    @property
    def known_targets(self) -> np.ndarray:
        """Targets with NaN where a finding is not labelled, (N, F) float32."""
        return np.where(self.labelled, self.targets, np.nan)

    @property
    def masked_targets(self) -> np.ndarray:
        """Targets with -1 where a finding is not labelled, (N, F) float32."""
        return np.where(self.labelled, self.targets, np.float32(-1))


def load_prepared(name: str, data_dir: Path) -> Prepared:
    """Facts of the newest prepared version of a data set.

    The manifest is held against its hash here, in milliseconds, and again when it is read; where
    the hash of the metadata was not recorded (see :class:`benchmark.data.facts.PreparedFacts`),
    they are held against the findings that it lists.

    Raises:
        NotPrepared: there is none.
        RecordError: a file of facts is damaged or was changed; it is named.
    """
    return _load(name, newest(name, data_dir))


def prepared_as(name: str, data_dir: Path, manifest_sha256: str) -> Prepared | None:
    """Facts of the prepared version of a data set that has this manifest; None where none has.

    Raises:
        RecordError: as :func:`load_prepared`; also of a version that may be the one.
    """
    for facts in sorted(_facts_of(name, data_dir), key=_version_of, reverse=True):
        if read_prepared_facts(name, facts.parent).manifest_sha256 == manifest_sha256:
            return _load(name, facts.parent)
    return None


def _load(name: str, path: Path) -> Prepared:
    derived = read_prepared_facts(name, path)
    facts = read_set_facts(name, path, derived.metadata_sha256)
    todo = derive_again(name, path)
    listed = listed_findings(path / MANIFEST, derived.manifest_sha256, todo)
    if derived.metadata_sha256 is None:
        check_unhashed(name, path, facts, listed)
    check_agreement(name, path, facts, derived)
    return Prepared(name, path.name, path, facts, derived)


def newest(name: str, data_dir: Path) -> Path:
    """Folder of the newest prepared version of a data set, be its files as they may.

    Raises:
        NotPrepared: there is none.
    """
    versions = sorted(_facts_of(name, data_dir), key=_version_of)
    if not versions:
        raise NotPrepared(name, data_dir)
    return versions[-1].parent


def is_prepared(name: str, data_dir: Path) -> bool:
    """Whether some version of a data set is prepared, be its files as they may."""
    return bool(_facts_of(name, data_dir))


def _facts_of(name: str, data_dir: Path) -> list[Path]:
    """The facts of every version; a link to nowhere is damage, not absence."""
    versions = (Path(data_dir) / name).glob("*/")
    return [version / FACTS for version in versions if os.path.lexists(version / FACTS)]


def _version_of(facts: Path) -> tuple[int, ...]:
    parts = facts.parent.name.split(".")
    return tuple(int(p) for p in parts) if all(p.isdigit() for p in parts) else (-1,)
