"""PadChest (Bustos et al. 2020): lung metastasis against normal, and fifteen aligned findings."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import tensorflow_datasets as tfds

from tfds_builders import example, images, splits
from tfds_builders.errors import DatasetError
from tfds_builders.padchest import account, photometric, raw, selection, table

SALT = "padchest/1"
FRACTIONS = {"train": 0.7, "validation": 0.1, "test": 0.2}


@dataclass(eq=False, kw_only=True)
class Config(tfds.core.BuilderConfig):
    """One selection of rows and findings.

    Attributes:
        selection: which rows, which findings.
    """

    selection: selection.Selection


def _configs() -> list[Config]:
    tasks = {
        "lung_metastasis": (selection.metastasis, "lung metastasis against normal"),
        "findings": (selection.findings, "fifteen findings aligned with ChestX-ray14"),
    }
    views = {
        "frontal": (selection.FRONTAL, "PA, AP and AP_horizontal"),
        "all": (selection.ALL, "all projections"),
    }
    labellers = {"": (False, "all labels"), "_physician": (True, "labels of physicians only")}
    return [
        Config(
            name=f"{task}_{view}{labeller}",
            description=f"{task_said}; {view_said}; {labeller_said}",
            selection=make(projections, physician),
        )
        for labeller, (physician, labeller_said) in labellers.items()
        for task, (make, task_said) in tasks.items()
        for view, (projections, view_said) in views.items()
    ]


class Builder(tfds.core.GeneratorBasedBuilder):
    """Radiographs of San Juan hospital, Alicante, 2009 to 2017; README.md has the facts."""

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES: ClassVar = {
        "1.0.0": "Lung metastasis and fifteen findings, by projection and labeller; 70/10/20."
    }
    BUILDER_CONFIGS: ClassVar = _configs()
    MANUAL_DOWNLOAD_INSTRUCTIONS = (
        "PadChest is given out by BIMCV under an agreement: ask for it at "
        "https://bimcv.cipf.es/bimcv-projects/padchest/, download the table and as many of the "
        f"zip files as you want, and put them into the manual directory:\n{raw.TREE}"
    )

    @classmethod
    def locate(cls, manual_dir: Path, config_name: str) -> raw.RawSet:
        """The raw set below a folder, the same for every config.

        Raises:
            LayoutError: missing, empty or another layout; says which tree is expected.
        """
        return raw.locate(manual_dir)

    def _info(self) -> tfds.core.DatasetInfo:
        chosen = self.builder_config.selection
        return self.dataset_info_from_configs(
            features=example.features(len(chosen.labels), np.uint16),
            metadata=example.metadata(
                findings=list(chosen.labels),
                kind="binary" if chosen.binary else "multilabel",
                label_version="2019-02-01, " + ("physicians" if chosen.physician else "all"),
                split_source="70/10/20 of the patients by salted hash; the publication has none",
                redistributable=False,
                licence="BIMCV research use agreement, no redistribution",
                citation="Bustos et al., Med. Image Anal. 66 (2020), "
                "doi:10.1016/j.media.2020.101797",
                projections=list(chosen.projections),
                labels={name: list(any_of) for name, any_of in chosen.labels.items()},
                listed=0,
                absent=0,
                fraction=0.0,
                rows={},
                unknown_labels={},
                table_sha256="",
            ),
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Iterator]:
        source = self.locate(Path(dl_manager.manual_dir), self.builder_config.name)
        intake = images.Intake(np.uint16)
        ledger = account.Ledger()
        facts = self.info.metadata
        facts.update(quarantined=intake.quarantined, converted=intake.converted)
        facts.update(rows=ledger.rows, unknown_labels=ledger.unknown_labels)
        facts["table_sha256"] = _sha256(source.table)
        for file, reason in source.images.refused:
            intake.refuse(file, reason)
        listed = ledger.sift(table.read(source.table), self.builder_config.selection, intake)
        present = ledger.present(listed, source.images, intake)
        facts.update(ledger.copy)
        members = {split: [] for split in FRACTIONS}
        for row in present:
            members[splits.assign(row.patient_id, SALT, FRACTIONS)].append(row)
        _check_filled(members, ledger, source.table)
        return {
            split: self._generate_examples(source.images, intake, ledger, rows, split)
            for split, rows in members.items()
        }

    def _generate_examples(self, found, intake, ledger, rows, split) -> Iterator:
        admitted = 0
        admissions = intake.admit_all((row.image_id for row in rows), found.read)
        for row, (_, image) in zip(rows, admissions, strict=True):
            data = _finished(image, intake, row)
            ledger.count("quarantined" if data is None else "examples")
            if data is not None:
                admitted += 1
                yield row.image_id, self._example(row, data)
        if not admitted:
            raise DatasetError(
                f"padchest: no readable image is left for the split {split!r}: all {len(rows)} "
                f"files were refused, e.g. {intake.quarantined[-1:]}."
            )

    def _example(self, row: table.Row, data: bytes) -> dict:
        targets = self.builder_config.selection.targets(row)
        return {
            "image": data,
            "image_id": row.image_id,
            "patient_id": row.patient_id,
            "findings": targets,
            "labelled": np.ones_like(targets),
            "age": row.age,
            "sex": row.sex,
            "view": "" if row.projection == "UNK" else row.projection,
            "label_source": row.method,
        }


def _finished(data: bytes | None, intake: images.Intake, row: table.Row) -> bytes | None:
    """Bytes of an admitted image, the usual way round; None where it was quarantined."""
    if data is None and row.image_id in account.known_bad():
        intake.quarantined[-1]["reason"] += " (known: broken as published)"
    if data is None or not row.inverted:
        return data
    intake.converted.append({"file": row.image_id, "reason": photometric.INVERTED})
    return photometric.inverted(data)


def _check_filled(members: dict[str, list], ledger: account.Ledger, path: Path) -> None:
    empty = [split for split, rows in members.items() if not rows]
    if empty:
        sizes = dict(Counter({split: len(rows) for split, rows in members.items()}))
        raise DatasetError(
            f"padchest: no image falls into {' and '.join(empty)} (images: {sizes}). What became "
            f"of the rows of {path.name}: {ledger.rows}. Copy more of the zip files, or choose a "
            "config that takes more of the rows."
        )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
