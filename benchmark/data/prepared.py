"""Facts about a prepared data set, read from disk without TensorFlow.

A prepared set is a TFDS version folder, ``<data_dir>/<builder>/<config>/<version>/``. Beside
TFDS's own files it holds two of ours (see ``prepare.py``): ``manifest.csv``, one line per image,
and ``prepared.json``, the facts derived from it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.errors import UserError
from benchmark.task import Task

MANIFEST = "manifest.csv"
FACTS = "prepared.json"
SPLITS = ("train", "validation", "test")


class NotPrepared(UserError):
    """The data set is not prepared in this data folder."""

    def __init__(self, name: str, data_dir: Path):
        self.name = name
        super().__init__(
            f"{name} is not prepared in {data_dir}. "
            f"Run: cxr-bench prepare {name} [--manual-dir DIR]"
        )


@dataclass(frozen=True)
class Prepared:
    """A prepared data set.

    Attributes:
        name: ``<builder>/<config>``.
        version: TFDS version of the set.
        path: its TFDS version folder.
        facts: the builder's metadata (see ``tfds_builders/example.py``).
        derived: what ``prepare.py`` found: ``manifest_sha256``, ``rendition``, ``counts``,
            ``test_digest``, ``verdict``, ``reasons``.
    """

    name: str
    version: str
    path: Path
    facts: dict[str, Any]
    derived: dict[str, Any]

    @property
    def holds_masks(self) -> bool:
        """True for a set of lung masks, which has no findings and no task."""
        return self.facts["kind"] == "segmentation"

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
        return Task(tuple(self.facts["findings"]), self.facts["kind"])

    @property
    def manifest_sha256(self) -> str:
        """SHA-256 of the manifest: same images, patients, splits and labels, same hash."""
        return self.derived["manifest_sha256"]

    @property
    def rendition(self) -> str:
        """``"original"`` or ``"resized to <n> px"``."""
        return self.derived["rendition"]

    @property
    def counts(self) -> dict[str, dict[str, Any]]:
        """For each split ``images``, ``patients`` and ``positives`` per finding."""
        return self.derived["counts"]

    def manifest(self):
        """The manifest as a pandas DataFrame, one line per image in the order TFDS stores them.

        Columns: image_id, patient_id, split, sha256, width, height, age, sex, view, label_source,
        then ``target:<finding>`` and ``labelled:<finding>`` (0 or 1).
        """
        return self._manifest

    @cached_property
    def _manifest(self):
        return read_manifest(self.path / MANIFEST)

    def part(self, split: str) -> ManifestPart:
        """The manifest of one split as arrays."""
        frame = self.manifest()
        frame = frame[frame["split"] == split]
        columns = {c: frame[c].to_numpy() for c in ("image_id", "patient_id", "age", "sex", "view")}
        findings = self.facts["findings"]  # none in a set of lung masks
        targets = frame[[f"target:{f}" for f in findings]].to_numpy(np.float32)
        labelled = frame[[f"labelled:{f}" for f in findings]].to_numpy(bool)
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
        """These lines, in this order."""
        return ManifestPart(**{name: values[rows] for name, values in vars(self).items()})

    def counts(self, findings: Sequence[str]) -> dict[str, Any]:
        """Number of images, of patients, and of positive images of each finding."""
        positives = (self.targets * self.labelled).sum(axis=0).astype(int).tolist()
        return {
            "images": len(self),
            "patients": len(np.unique(self.patient_id)),
            "positives": dict(zip(findings, positives, strict=True)),
        }

    @property
    def masked_targets(self) -> np.ndarray:
        """Targets with -1 where a finding is not labelled, (N, F) float32."""
        return np.where(self.labelled, self.targets, np.float32(-1))


def default_data_dir() -> Path:
    """TFDS's own folder, so that sets are shared with plain ``tfds.load``."""
    return Path(os.environ.get("TFDS_DATA_DIR", "~/tensorflow_datasets")).expanduser()


def read_manifest(path: Path):
    """Read a manifest; ids, sex and view stay text, however much they look like numbers."""
    import pandas as pd

    text = ("image_id", "patient_id", "split", "sha256", "sex", "view", "label_source", "pairing")
    return pd.read_csv(path, dtype=dict.fromkeys(text, str), keep_default_na=False)


def load_prepared(name: str, data_dir: Path) -> Prepared:
    """Facts of the newest prepared version of a data set.

    Raises:
        NotPrepared: there is none.
    """
    versions = sorted((data_dir / name).glob(f"*/{FACTS}"), key=_version_of)
    if not versions:
        raise NotPrepared(name, data_dir)
    path = versions[-1].parent
    facts = json.loads((path / "metadata.json").read_bytes())
    derived = json.loads((path / FACTS).read_bytes())
    return Prepared(name, path.name, path, facts, derived)


def _version_of(facts: Path) -> tuple[int, ...]:
    parts = facts.parent.name.split(".")
    return tuple(int(p) for p in parts) if all(p.isdigit() for p in parts) else (-1,)
