"""image_folder: a set of your own, read as you say and split by patient."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import tensorflow_datasets as tfds

from tfds_builders import example, images, splits
from tfds_builders.archives import Folder
from tfds_builders.errors import DatasetError, LayoutError, Unreadable
from tfds_builders.generating import FromFiles, Making, by_name
from tfds_builders.image_folder import class_folders, table
from tfds_builders.image_folder.contents import Contents, Entry
from tfds_builders.image_folder.options import UNKNOWN, Options, check_name, read_options
from tfds_builders.ingest_report import IngestReport, Item
from tfds_builders.kermany_pneumonia.patients import merge

SALT = "image_folder/1"
SHARES = {"validation": 0.1, "test": 0.2}
SPLITS = ("train", "validation", "test")
TREE = """\
    DIR/<class>/*.png                       two or more folders named like the classes
    DIR/train/<class>/*.png, DIR/test/...   the same, already split (validation may be missing)
    DIR/**/*.png and a table                with --csv FILE and the names of its columns
"""


@dataclass(eq=False, kw_only=True)
class Config(tfds.core.BuilderConfig):
    """One set; made by ``Builder.configure``.

    Attributes:
        options: how it is read.
        findings: names of the findings.
        kind: ``"binary"``, ``"multilabel"`` or ``"multiclass"``.
    """

    options: Options
    findings: tuple[str, ...]
    kind: str


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
        return _read(Path(manual_dir), read_options(manual_dir), pattern=None)

    @classmethod
    def configure(cls, manual_dir: Path, name: str, options: Options | None = None) -> Config:
        """Config for a folder, to construct a builder with: ``Builder(config=...)``.

        Args:
            manual_dir: the folder with the images.
            name: what to call the set: lower-case letters, digits and underscores.
            options: how to read it; default: what ``image_folder.toml`` in the folder says.

        Raises:
            DatasetError: the name is no such word, the options say too little or contradict each
                other (nobody's images are split by image without being asked), or the folder
                does not hold what they promise.
        """
        check_name(name)
        manual_dir = Path(manual_dir)
        options = options if options is not None else read_options(manual_dir)
        _refuse_missing(manual_dir)
        options.check()
        found = _read(manual_dir, options, pattern=None)
        return Config(
            name=name,
            description="a set of your own",
            options=options,
            findings=found.findings,
            kind=found.kind,
        )

    def _info(self) -> tfds.core.DatasetInfo:
        config: Config = self.builder_config or _NO_SET
        return self.dataset_info_from_configs(
            features=example.features(len(config.findings)),
            metadata=example.metadata(
                findings=config.findings,
                kind=config.kind,
                label_version="own",
                split_source="",
                licence="not told",
                citation="a set of the user's own",
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
        contents = _read(folder.path, config.options, pattern)
        if (contents.findings, contents.kind) != (config.findings, config.kind):
            raise DatasetError(f"image_folder: {folder.path} has changed since it was looked at.")
        ingest = IngestReport(quarantined=[*folder.refused(), *contents.refused])
        facts = self.info.metadata
        facts.update(quarantined=ingest.quarantined, converted=ingest.converted)
        entries, groups = _survey(folder, contents.entries, ingest)
        if not entries:
            raise DatasetError(
                f"image_folder: no image of {folder.path} can be used. {len(ingest.quarantined)} "
                f"entries were refused: {_some(ingest.quarantined)}."
            )
        members, facts["split_source"] = _members(entries, groups, config.options)
        return {
            split: self._generate_examples(
                split, [Item(e.image, (e, groups[e.image])) for e in part], folder, ingest
            )
            for split, part in members.items()
        }

    def _generate_examples(
        self, split: str, items: list[Item], folder: Folder, ingest: IngestReport
    ) -> Any:
        making = Making(images.Gate(), self._example)
        return self._from_files(split, items, by_name(folder.read), making, ingest)

    def _example(self, item: Item, checked: images.Checked) -> tuple[str, dict]:
        entry, group = item.facts
        return entry.image, {
            "image": checked.data,
            "image_id": entry.image,
            "patient_id": group,
            "findings": np.array(entry.findings, np.uint8),
            "labelled": np.array(entry.labelled, np.uint8),
            "age": -1,
            "sex": "",
            "view": "",
            "label_source": "table" if self.builder_config.options.csv else "folder name",
        }


def _some(refused: list[dict]) -> str:
    """The first refusals, to be shown."""
    shown = [f"{entry['file']} ({entry['reason']})" for entry in refused[:3]]
    return ", ".join(shown + ["..."] * (len(refused) > len(shown)))


def _refuse_missing(folder: Path) -> None:
    if not folder.is_dir():
        raise LayoutError("image_folder", f"there is no folder {folder}.", TREE, [])


def _read(folder: Path, options: Options, pattern: re.Pattern | None) -> Contents:
    """Contents of a folder; without a pattern, patients of no column are left unknown."""
    _refuse_missing(folder)
    names = Folder(folder).names()
    if options.csv:
        return table.read(_table(folder, options.csv), names, options, pattern)
    contents = class_folders.read(names, pattern)
    if not contents.findings:
        found = sorted({"/".join(name.split("/")[:2]) for name in names})
        problem = "does not hold two classes of images" if found else "is empty"
        raise LayoutError("image_folder", f"{folder} {problem}.", TREE, found)
    if pattern and not contents.entries:
        some = ", ".join(entry["file"] for entry in contents.refused[:3])
        raise DatasetError(
            f"image_folder: the patient pattern {pattern.pattern!r} is found in no file name, "
            f"e.g. {some}."
        )
    return contents


def _table(folder: Path, said: str) -> Path:
    for path in (folder / said, Path(said)):
        if path.is_file():
            return path
    looked_at = f"neither {folder / said} nor {Path(said).absolute()}"
    raise DatasetError(f"image_folder: there is no table {said}: {looked_at}.")


def _survey(
    folder: Folder, entries: list[Entry], ingest: IngestReport
) -> tuple[list[Entry], dict[str, str]]:
    """Readable entries, and the patient group of each: one patient, or identical bytes."""
    kept, by_digest = [], defaultdict(list)
    for entry in entries:
        try:
            digest = hashlib.sha256(folder.read(entry.image)).hexdigest()
        except Unreadable as error:
            ingest.refuse(entry.image, str(error))
            continue
        kept.append(entry)
        by_digest[digest].append(entry.image)
    # Broken files can be equal without showing the same person, e.g. all the empty ones.
    identical = [
        names
        for names in by_digest.values()
        if len(names) > 1 and images.check(folder.read(names[0])).data is not None
    ]
    return kept, merge({entry.image: entry.patient or entry.image for entry in kept}, identical)


def _members(
    entries: list[Entry], groups: dict[str, str], options: Options
) -> tuple[dict[str, list[Entry]], str]:
    """Entries of each split, and who made the split.

    Where the set has its own split, only what it lacks is carved out of its training part.
    """
    pools = {entry.pool for entry in entries} - {""}
    carved = {split: share for split, share in SHARES.items() if split not in pools}
    fractions = {"train": 1 - sum(carved.values()), **carved}
    members: dict[str, list[Entry]] = {split: [] for split in SPLITS}
    for entry in entries:
        fixed = entry.pool in ("validation", "test")
        group = groups[entry.image]
        split = entry.pool if fixed else splits.assign(group, SALT, fractions)
        members[split].append(entry)
    patients = len(set(groups.values()))
    splits.refuse_empty(
        "image_folder", members, f"There are too few patients ({patients}) to be split."
    )
    return members, _split_source(pools, fractions, options)


def _split_source(pools: set[str], fractions: dict[str, float], options: Options) -> str:
    unit = "images" if options.patients == UNKNOWN else "patients"
    shares = ", ".join(f"{split} {share:.0%}" for split, share in fractions.items())
    hashed = f"by salted hash of the {unit}: {shares}"
    if not pools:
        return hashed
    own = f"folders of the set: {', '.join(sorted(pools))}"
    return own if len(fractions) == 1 else f"{own}; of its training part {hashed}"
