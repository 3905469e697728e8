"""PadChest (Bustos et al. 2020): lung metastasis against normal, and fifteen aligned findings."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import tensorflow_datasets as tfds

from tfds_builders import example, images, splits
from tfds_builders.errors import Unreadable
from tfds_builders.generating import FromFiles, Making, by_name
from tfds_builders.ingest_report import Item
from tfds_builders.padchest import ingest_report, photometric, raw, selection, table
from tfds_builders.shapes import Shape

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


class Builder(FromFiles, tfds.core.GeneratorBasedBuilder):
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

    @classmethod
    def original_shapes(cls, manual_dir: Path, config_name: str) -> dict[str, Shape]:
        """Image -> its original shape, where the table says it; the bits are those that count."""
        return table.read_shapes(raw.locate(manual_dir).table)

    def _info(self) -> tfds.core.DatasetInfo:
        chosen = self.builder_config.selection
        return self.dataset_info_from_configs(
            features=example.features(len(chosen.labels), np.uint16),
            supervised_keys=example.supervised(len(chosen.labels)),
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
        listed_images = ingest_report.ListedImages()
        ingest = ingest_report.RowIngestReport(listed_images)
        facts = self.info.metadata
        facts.update(quarantined=ingest.quarantined, converted=ingest.converted)
        facts.update(rows=listed_images.rows, unknown_labels=listed_images.unknown_labels)
        facts["table_sha256"] = _sha256(source.table)
        for file, reason in source.images.refused:
            ingest.refuse(file, reason)
        listed = listed_images.sift(table.read(source.table), self.builder_config.selection, ingest)
        present = listed_images.present(listed, source.images, ingest)
        facts.update(listed_images.copy)
        members: dict[str, list[table.Row]] = {split: [] for split in FRACTIONS}
        for row in present:
            members[splits.assign(row.patient_id, SALT, FRACTIONS)].append(row)
        splits.refuse_empty(
            "padchest",
            members,
            f"What became of the rows of {source.table.name}: {listed_images.rows}. Refused, e.g.: "
            f"{ingest.quarantined[:1] or 'none'}. Copy more of the zip files, or choose a config "
            "that takes more of the rows.",
        )
        return {
            split: self._generate_examples(
                split, [Item(row.image_id, row) for row in rows], source, ingest
            )
            for split, rows in members.items()
        }

    def _generate_examples(
        self,
        split: str,
        items: list[Item],
        source: raw.RawSet,
        ingest: ingest_report.RowIngestReport,
    ) -> Any:
        making = Making(partial(_checked, images.Gate(np.uint16)), self._example)
        return self._from_files(split, items, by_name(source.read), making, ingest)

    def _example(self, item: Item, checked: images.Checked) -> tuple[str, dict]:
        row: table.Row = item.facts
        targets = self.builder_config.selection.targets(row)
        return row.image_id, {
            "image": checked.data,
            "image_id": row.image_id,
            "patient_id": row.patient_id,
            "findings": targets,
            "labelled": np.ones_like(targets),
            "age": row.age,
            "sex": row.sex,
            "view": "" if row.projection == "UNK" else row.projection,
            "label_source": row.method,
        }


def _checked(gate: images.Gate, item: Item, content: bytes | Unreadable) -> images.Checked:
    """The outcome for one image, which is turned the usual way round."""
    checked = gate.check(content)
    if checked.data is None or not item.facts.inverted:
        return checked
    try:
        turned = photometric.inverted(checked.data)
    except Unreadable as error:
        return images.Checked(None, str(error))
    reasons = [reason for reason in (checked.reason, photometric.INVERTED) if reason]
    header = checked.header or images.read_header(checked.data)
    return images.Checked(turned, ", ".join(reasons), header)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
