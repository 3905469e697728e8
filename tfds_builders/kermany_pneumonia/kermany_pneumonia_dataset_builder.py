"""Kermany et al. 2018: pneumonia in children of one to five years, two splits, two label sets."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import tensorflow_datasets as tfds

from tfds_builders import example, images, splits
from tfds_builders.errors import Unreadable
from tfds_builders.generating import FromFiles, Making, by_name
from tfds_builders.ingest_report import IngestReport, Item
from tfds_builders.kermany_pneumonia import patients, raw

SALT = "kermany_pneumonia/1"
_CAUSES = ("normal", "bacterial", "viral")
_RESTART = (
    "The file names of the published train and test folders share patient numbers. Whether the "
    "numbering restarts between the folders is documented nowhere, so that an equal number may "
    "or may not be the same child."
)


@dataclass(eq=False, kw_only=True)
class Config(tfds.core.BuilderConfig):
    """One way to split and to label the set.

    Attributes:
        official: True for the published test split, False to split the train folder alone.
        three_class: True for normal, bacterial, viral; False for pneumonia or not.
    """

    official: bool
    three_class: bool

    @property
    def pools(self) -> tuple[str, ...]:
        """Published folders that are read; Kaggle's 16 validation images join the training."""
        return ("train", "val", "test") if self.official else ("train", "val")

    @property
    def fractions(self) -> dict[str, float]:
        """Share of the training pool's patient groups that goes into each split."""
        if self.official:
            return {"train": 0.9, "validation": 0.1}
        return {"train": 0.8, "validation": 0.1, "test": 0.1}


def _configs() -> list[Config]:
    splits_said = {
        "official": "published test split, validation carved from the training pool",
        "internal": "training pool alone, 80/10/10 by patient group",
    }
    labels_said = {"": "pneumonia or not", "_three_class": "normal, bacterial, viral"}
    return [
        Config(
            name=split + label,
            description=f"{split_said}; {label_said}",
            official=split == "official",
            three_class=label != "",
        )
        for label, label_said in labels_said.items()
        for split, split_said in splits_said.items()
    ]


class Builder(FromFiles, tfds.core.GeneratorBasedBuilder):
    """Pediatric chest X-rays, pneumonia or not; README.md has the facts."""

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES: ClassVar = {
        "1.0.0": "Published split and an internal one, two and three classes."
    }
    BUILDER_CONFIGS: ClassVar = _configs()
    MANUAL_DOWNLOAD_INSTRUCTIONS = (
        "Get the set from Mendeley Data (doi:10.17632/rscbjbr9sj, ChestXRay2017.zip) or from "
        f"Kaggle (chest-xray-pneumonia) and put it into the manual directory:\n{raw.TREE}"
    )

    @classmethod
    def locate(cls, manual_dir: Path, config_name: str) -> raw.RawSet:
        """The raw set below a folder.

        Raises:
            LayoutError: missing, empty or another layout; says which tree is expected.
        """
        official = cls.builder_configs[config_name].official
        return raw.locate(manual_dir, ("train", "test") if official else ("train",))

    def _info(self) -> tfds.core.DatasetInfo:
        three_class = self.builder_config.three_class
        findings = ["Normal", "Bacterial pneumonia", "Viral pneumonia"]
        official = self.builder_config.official
        pairs = [["train", "test"], ["validation", "test"]] if official else []
        return self.dataset_info_from_configs(
            features=example.features(3 if three_class else 1),
            supervised_keys=example.supervised(3 if three_class else 1),
            metadata=example.metadata(
                findings=findings if three_class else ["Pneumonia"],
                kind="multiclass" if three_class else "binary",
                label_version="2018",
                split_source=_split_source(official),
                suspected=[{"splits": pair, "reason": _RESTART} for pair in pairs],
                redistributable=True,
                licence="CC BY 4.0",
                citation="Kermany et al., Cell 172 (2018) 1122, doi:10.1016/j.cell.2018.02.010",
                projections=["AP"],
                raw_sha256="",
            ),
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Iterator]:
        source = self.locate(Path(dl_manager.manual_dir), self.builder_config.name)
        ingest = IngestReport()
        facts = self.info.metadata
        facts.update(quarantined=ingest.quarantined, converted=ingest.converted)
        named, facts["raw_sha256"], identical = _survey(source, self.builder_config.pools, ingest)
        groups = patients.merge({n: parsed.patient for n, parsed in named.items()}, identical)
        members = _members(named, groups, self.builder_config.fractions)
        return {
            split: self._generate_examples(
                split, [Item(name, (named[name], groups[name])) for name in names], source, ingest
            )
            for split, names in members.items()
        }

    def _generate_examples(
        self, split: str, items: list[Item], source: raw.RawSet, ingest: IngestReport
    ) -> Any:
        making = Making(images.Gate(), self._example)
        return self._from_files(split, items, by_name(source.read), making, ingest)

    def _example(self, item: Item, checked: images.Checked) -> tuple[str, dict]:
        named, group = item.facts
        if self.builder_config.three_class:
            findings = [named.cause == cause for cause in _CAUSES]
        else:
            findings = [named.pneumonia]
        return item.name, {
            "image": checked.data,
            "image_id": item.name,
            "patient_id": group,
            "findings": np.array(findings, np.uint8),
            "labelled": np.ones(len(findings), np.uint8),
            "age": -1,
            "sex": "",
            "view": "",
            "label_source": "physicians",
        }


def _split_source(official: bool) -> str:
    if official:
        return (
            "test: as published by Kermany et al. 2018; validation: a tenth of the patient groups "
            "of the published training pool, by salted hash"
        )
    return (
        "80/10/10 of the patient groups of the published training pool, by salted hash; the "
        "published test split is not read"
    )


def _survey(
    source: raw.RawSet, pools: tuple[str, ...], ingest: IngestReport
) -> tuple[dict[str, patients.Named], str, list[list[str]]]:
    """Read every file once: what the names say, the digest of the set, identical files."""
    named, by_digest, lines = {}, defaultdict(list), []
    for entry in (entry for pool in pools for entry in source.refused(pool)):
        ingest.refuse(**entry)
    for name in (n for pool in pools for n in source.names(pool)):
        try:
            named[name] = patients.parse(name)
            digest = hashlib.sha256(source.read(name)).hexdigest()
        except (patients.UnexpectedName, Unreadable) as error:
            named.pop(name, None)
            ingest.refuse(name, str(error))
            continue
        by_digest[digest].append(name)
        lines.append(f"{name}\t{digest}\n")
    raw_sha256 = hashlib.sha256("".join(sorted(lines)).encode()).hexdigest()
    # Broken files can be equal without showing the same child, e.g. all the empty ones.
    identical = [
        names
        for names in by_digest.values()
        if len(names) > 1 and images.check(source.read(names[0])).data is not None
    ]
    return named, raw_sha256, identical


def _members(
    named: dict[str, patients.Named], groups: dict[str, str], fractions: dict[str, float]
) -> dict[str, list[str]]:
    """File names of each split."""
    members: dict[str, list[str]] = {split: [] for split in splits.SPLITS}
    for name, parsed in named.items():
        pool_test = parsed.pool == "test"
        split = "test" if pool_test else splits.assign(groups[name], SALT, fractions)
        members[split].append(name)
    splits.refuse_empty(
        "kermany_pneumonia",
        members,
        f"The copy has too few patients ({len(set(groups.values()))}) to be split; take a larger "
        "part of the published set.",
    )
    return members
