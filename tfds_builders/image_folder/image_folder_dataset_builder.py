"""image_folder: a set of your own, read as you say and split by patient."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import tensorflow_datasets as tfds

from tfds_builders import example, images
from tfds_builders.archives import Folder
from tfds_builders.errors import DatasetError
from tfds_builders.generating import FromFiles, Making, by_name
from tfds_builders.image_folder.contents import Contents, Entry
from tfds_builders.image_folder.members import dealt_splits, members_of
from tfds_builders.image_folder.options import UNKNOWN, Options, check_name, read_options
from tfds_builders.image_folder.pixels import OwnGate
from tfds_builders.image_folder.reading import TREE, read, refuse_missing
from tfds_builders.image_folder.surveying import refuse_nothing_left, refuse_unusable, survey
from tfds_builders.ingest_report import IngestReport, Item


@dataclass(eq=False, kw_only=True)
class Config(tfds.core.BuilderConfig):
    """One set; made by ``Builder.configure``.

    Attributes:
        options: how it is read.
        findings: names of the findings.
        kind: ``"binary"``, ``"multilabel"`` or ``"multiclass"``.
        copies: groups of images that show the same; each stays in one split.
    """

    options: Options
    findings: tuple[str, ...]
    kind: str
    copies: tuple[tuple[str, ...], ...] = ()


# What the builder says of itself while nobody has said which set is meant.
_NO_SET = Config(name="none", options=Options(), findings=("Finding",), kind="binary")


class Builder(FromFiles, tfds.core.GeneratorBasedBuilder):
    """Your own chest X-rays; README.md says how."""

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES: ClassVar = {"1.0.0": "Class folders, or a table; patients by column or name."}
    BUILDER_CONFIGS: ClassVar[list] = []
    MANUAL_DOWNLOAD_INSTRUCTIONS = (
        f"Your own images, as one of\n{TREE}"
        "Then: cxr-bench prepare image_folder --manual-dir DIR --name my_set, with what the "
        "README of image_folder says about patients."
    )

    @classmethod
    def locate(cls, manual_dir: Path, config_name: str) -> Contents:
        """What a folder holds, read as its ``image_folder.toml`` says.

        Raises:
            LayoutError: missing, empty, or neither class folders nor a table.
        """
        return read(Path(manual_dir), read_options(manual_dir))

    @classmethod
    def configure(
        cls,
        manual_dir: Path,
        name: str,
        options: Options | None = None,
        version: str | None = None,
        copies: tuple[tuple[str, ...], ...] = (),
    ) -> Config:
        """Config for a folder, to construct a builder with: ``Builder(config=...)``.

        Args:
            manual_dir: the folder with the images.
            name: what to call the set: lower-case letters, digits and underscores.
            options: how to read it; default: what ``image_folder.toml`` in the folder says.
            version: of what is made; default: ``"1.0.0"``.
            copies: groups of images that show the same; each stays in one split.

        Raises:
            DatasetError: the name is no such word, the options say too little or contradict each
                other (nobody's images are split by image without being asked), or the folder
                does not hold what they promise.
        """
        check_name(name)
        manual_dir = Path(manual_dir)
        options = options if options is not None else read_options(manual_dir)
        refuse_missing(manual_dir)
        options.check()
        found = read(manual_dir, options)
        return Config(
            name=name,
            description="a set of your own",
            options=options,
            findings=found.findings,
            kind=found.kind,
            version=version,
            copies=copies,
        )

    def _info(self) -> tfds.core.DatasetInfo:
        config: Config = self.builder_config or _NO_SET
        return self.dataset_info_from_configs(
            features=example.features(len(config.findings)),
            supervised_keys=example.supervised(len(config.findings)),
            metadata=example.metadata(
                findings=config.findings,
                kind=config.kind,
                label_version="own",
                split_source="",
                licence="not told",
                citation="A set of the user's own",
                redistributable=False,
                patients_unknown=config.options.patients == UNKNOWN,
                options=config.options.published(),
            ),
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Iterator]:
        config: Config = self.builder_config
        if config is None:
            raise DatasetError(
                "image_folder: which set? It has none of its own; make one with "
                "Builder(config=Builder.configure(folder, name))."
            )
        folder = Folder(Path(dl_manager.manual_dir))
        pattern = config.options.pattern() if config.options.patient_pattern else None
        contents = read(folder.path, config.options, pattern)
        if (contents.findings, contents.kind) != (config.findings, config.kind):
            raise DatasetError(f"image_folder: {folder.path} has changed since it was looked at.")
        ingest = IngestReport(quarantined=[*folder.refused(), *contents.refused])
        facts = self.info.metadata
        facts.update(quarantined=ingest.quarantined, converted=ingest.converted)
        refuse_unusable(folder, contents)
        found = survey(folder, contents.entries, ingest, config.options, config.copies)
        refuse_nothing_left(found, folder, ingest.quarantined)
        members, facts["split_source"] = members_of(found, config.options)
        facts["dealt"] = dealt_splits(found, config.options)
        facts["notes"] = [*contents.notes, *found.notes]
        facts["projections"] = sorted({entry.view for entry in found.entries} - {""})
        facts["boxes"] = boxes_of(found.entries)
        groups = found.groups
        return {
            split: self._generate_examples(
                split, [Item(e.image, (e, groups[e.image])) for e in part], folder, ingest
            )
            for split, part in members.items()
        }

    def _generate_examples(
        self, split: str, items: list[Item], folder: Folder, ingest: IngestReport
    ) -> Any:
        making = Making(OwnGate(), self._example)
        return self._from_files(split, items, by_name(folder.read), making, ingest)

    def _example(self, item: Item, checked: images.Checked) -> tuple[str, dict]:
        entry, group = item.facts
        return entry.image, {
            "image": checked.data,
            "image_id": entry.image,
            "patient_id": group,
            "findings": np.array(entry.findings, np.uint8),
            "labelled": np.array(entry.labelled, np.uint8),
            "age": entry.age,
            "sex": entry.sex,
            "view": entry.view,
            "label_source": "table" if self.builder_config.options.csv else "folder name",
        }


def boxes_of(entries: list[Entry]) -> list[dict]:
    """The boxes of all images, JSON-ready."""
    return [
        {"image_id": e.image, "finding": finding, "x": x, "y": y, "w": w, "h": h}
        for e in entries
        for finding, x, y, w, h in e.boxes
    ]
