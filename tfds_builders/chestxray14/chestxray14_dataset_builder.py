"""NIH ChestX-ray14: 112,120 frontal radiographs, 14 text-mined findings, in its usual protocols."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import tensorflow_datasets as tfds

from tfds_builders import example, images
from tfds_builders.chestxray14 import raw
from tfds_builders.chestxray14.ingest_report import TableIngestReport
from tfds_builders.chestxray14.labels import FINDINGS, NO_FINDING, Entry
from tfds_builders.chestxray14.plan import CONSENSUS, make_plan
from tfds_builders.chestxray14.protocols import SEVEN, SIX
from tfds_builders.chestxray14.sizes import read_shapes
from tfds_builders.generating import FromFiles, Making, examples
from tfds_builders.ingest_report import Item
from tfds_builders.shapes import Shape
from tfds_builders.splits import SPLITS

_SAID = {
    "fourteen": "14 findings, published split, validation carved from its training part",
    "fourteen_random": "14 findings, 70/10/20 by patient",
    "seven": "images with one of seven labels alone, 70/10/20 by patient",
    "six": "images with one of six labels alone, 70/10/20 by patient",
    "six_balanced": "as six, 1,500/500/500 images evenly over the classes",
    "small": "teaching subset of 875/109/420 as published; train and validation share patients",
    "small_disjoint": "teaching subset, shared patients removed from train",
    "sample": "Kaggle's sample of 5,606, 14 findings, 70/10/20 by patient",
}
_HASH = "by salted SHA-256 of the patient number"
_SPLIT_SOURCE = {
    "fourteen": "test: published test_list.txt; validation: an eighth of the patients of "
    f"train_val_list.txt, {_HASH}",
    "six_balanced": f"patients 60/20/20 {_HASH}, then as many images of each class, by hash",
    "small": "as published with the teaching subset; its train and validation share patients",
    "small_disjoint": "as published with the teaching subset, patients in two splits removed from "
    "the earlier one",
}


@dataclass(eq=False, kw_only=True)
class Config(tfds.core.BuilderConfig):
    """One protocol on one issue of the labels.

    Attributes:
        protocol: which images, findings and split; a key of ``_SAID``.
        labels: ``"v2020"`` or ``"v2017"``.
    """

    protocol: str
    labels: str

    @property
    def classes(self) -> tuple[str, ...]:
        """Findings of the task."""
        return {"seven": SEVEN, "six": SIX, "six_balanced": SIX}.get(self.protocol, FINDINGS)

    @property
    def exclusive(self) -> bool:
        """True where every image has exactly one of the classes."""
        return NO_FINDING in self.classes

    @property
    def layout(self) -> raw.Layout:
        """How the files have to lie."""
        if self.protocol.startswith("small"):
            return raw.TEACHING
        return raw.KAGGLE_SAMPLE if self.protocol == "sample" else raw.MAIN

    @property
    def tables(self) -> tuple[str, ...]:
        """Tables that have to be there; the first holds the labels."""
        if self.layout is raw.TEACHING:
            return tuple(raw.SMALL.values())
        if self.layout is raw.KAGGLE_SAMPLE:
            return (raw.SAMPLE,)
        lists = (raw.TRAIN_VAL, raw.TEST) if self.protocol == "fourteen" else ()
        return (raw.DATA_ENTRY[self.labels], *lists)


def _configs() -> list[Config]:
    found = []
    for labels, suffix in (("v2020", ""), ("v2017", "_v2017")):
        for protocol in ("fourteen", "fourteen_random", "seven", "six", "six_balanced"):
            said = f"{_SAID[protocol]}; labels of {labels.removeprefix('v')}"
            name = protocol + suffix
            found.append(Config(name=name, description=said, protocol=protocol, labels=labels))
    for protocol in ("small", "small_disjoint", "sample"):
        said = _SAID[protocol]
        found.append(Config(name=protocol, description=said, protocol=protocol, labels="v2017"))
    return found


class Builder(FromFiles, tfds.core.GeneratorBasedBuilder):
    """Frontal chest X-rays of the NIH Clinical Center; README.md has the facts."""

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES: ClassVar = {
        "1.0.0": "Published and random split, seven and six classes, teaching subset, sample."
    }
    BUILDER_CONFIGS: ClassVar = _configs()
    MANUAL_DOWNLOAD_INSTRUCTIONS = (
        "Get the set from the NIH Clinical Center (CXR8), or a copy of it from Kaggle, and put it "
        f"into the manual directory:\n{raw.MAIN.tree}"
        f"For the configs small and small_disjoint instead:\n{raw.TEACHING.tree}"
        f"For the config sample instead:\n{raw.KAGGLE_SAMPLE.tree}"
    )

    @classmethod
    def locate(cls, manual_dir: Path, config_name: str) -> raw.Copy:
        """The copy below a folder.

        Raises:
            LayoutError: missing, empty, or lacks a table or the images; says what.
        """
        config = cls.builder_configs[config_name]
        return raw.locate(manual_dir, config.layout, config.tables, config_name)

    @classmethod
    def original_shapes(cls, manual_dir: Path, config_name: str) -> dict[str, Shape]:
        """Image -> its original shape, where the tables say it: not those of the teaching subset.

        Raises:
            DatasetError: as :meth:`locate`; or a table is not as published.
        """
        copy, config = cls.locate(manual_dir, config_name), cls.builder_configs[config_name]
        if config.layout is raw.TEACHING:
            return {}
        return read_shapes(copy.read(config.tables[0]), config.tables[0])

    def _info(self) -> tfds.core.DatasetInfo:
        config = self.builder_config
        protocol = config.protocol
        teaching = config.layout is raw.TEACHING
        return self.dataset_info_from_configs(
            features=example.features(len(config.classes)),
            metadata=example.metadata(
                findings=config.classes,
                kind="multiclass" if config.exclusive else "multilabel",
                label_version=f"{config.labels}, teaching subset" if teaching else config.labels,
                split_source=_SPLIT_SOURCE.get(protocol, f"patients 70/10/20 {_HASH}"),
                redistributable=True,
                licence="free use with citation and acknowledgement of the NIH Clinical Center "
                "as the data provider",
                citation="Wang et al., CVPR 2017, doi:10.1109/CVPR.2017.369",
                projections=["AP", "PA"],
                original_size=1024,
                consensus_findings=list(CONSENSUS) if teaching else [],
                listed=0,
                absent=0,
                fraction=0.0,
                impossible_ages=[],
                removed_for_disjointness={},
                boxes=[],
            ),
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Iterator]:
        copy = self.locate(Path(dl_manager.manual_dir), self.builder_config.name)
        plan = make_plan(copy, self.builder_config.protocol, self.builder_config.tables)
        facts = self.info.metadata
        ingest = TableIngestReport(copy=copy, plan=plan, facts=facts)
        facts.update(quarantined=ingest.quarantined, converted=ingest.converted)
        facts.update(removed_for_disjointness=plan.removed)
        if self._in_beam:
            ingest.survey()
        return {split: self._generate_examples(ingest, split) for split in SPLITS}

    def _generate_examples(self, ingest: TableIngestReport, split: str) -> Any:
        making = Making(images.Gate(), partial(self._example, split))
        if not self._in_beam:
            return examples(split, ingest.contents(split), making, ingest)
        copy = ingest.copy
        parts = copy.parts(ingest.items(split))
        return self._from_pipeline(split, parts, copy.contents, making, ingest)

    def _example(self, split: str, item: Item, checked: images.Checked) -> tuple[str, dict]:
        entry: Entry = item.facts
        classes = self.builder_config.classes
        present = entry.findings or {NO_FINDING}
        consensus = self.builder_config.layout is raw.TEACHING and split == "test"
        return entry.image_id, {
            "image": checked.data,
            "image_id": entry.image_id,
            "patient_id": entry.patient_id,
            "findings": np.array([name in present for name in classes], np.uint8),
            "labelled": np.ones(len(classes), np.uint8),
            "age": entry.age,
            "sex": entry.sex,
            "view": entry.view,
            "label_source": "radiologist consensus" if consensus else "text-mined",
        }
