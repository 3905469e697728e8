"""lung_masks: radiographs with masks of the lung fields, to train a segmentation network on."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import tensorflow_datasets as tfds

from tfds_builders import example, splits
from tfds_builders.errors import LayoutError
from tfds_builders.generating import FromFiles, Making
from tfds_builders.images import Gate
from tfds_builders.ingest_report import IngestReport, Item
from tfds_builders.kermany_pneumonia.kermany_pneumonia_dataset_builder import SALT as KERMANY_SALT
from tfds_builders.lung_masks import by_name, darwin, kermany_pairs, receiving
from tfds_builders.lung_masks.films import Film, Found
from tfds_builders.lung_masks.raw_files import RawFiles
from tfds_builders.lung_masks.sets import CONFIGS, Config

SALT = "lung_masks/1"
FRACTIONS = {"train": 0.7, "validation": 0.1, "test": 0.2}
"""With Kermany's salt, train and validation lie within the first 80 %: patients that the configs
``official`` and ``internal`` of kermany_pneumonia both train on."""

_FINDERS = {"darwin": darwin.find, "kermany_pairs": kermany_pairs.find}


class Builder(FromFiles, tfds.core.GeneratorBasedBuilder):
    """Radiographs with lung masks; README.md has the facts."""

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES: ClassVar = {"1.0.0": "Montgomery, Shenzhen, JSRT, V7 Darwin, Kermany's pairs."}
    BUILDER_CONFIGS: ClassVar = CONFIGS
    MANUAL_DOWNLOAD_INSTRUCTIONS = (
        "Put the files of one source, unpacked or as zip files, into the manual directory; "
        "in which of its folders does not matter. Several sources: one folder each, named like "
        "the config.\n"
        + "\n".join(f"  {config.name}:\n{config.tree.rstrip()}" for config in CONFIGS)
    )

    @classmethod
    def locate(cls, manual_dir: Path, config_name: str) -> RawFiles:
        """The files below a folder, if they hold an image with a mask.

        A folder named like the config is taken in place of the one given, so that several
        sources can lie side by side.

        Raises:
            LayoutError: missing, empty or another layout; says which tree is expected.
        """
        config = cls.builder_configs[config_name]
        if not Path(manual_dir).is_dir():
            raise LayoutError(cls.name, f"there is no folder {manual_dir}.", config.tree, [])
        own = Path(manual_dir) / config_name
        raw_files = RawFiles(own if own.is_dir() else manual_dir)
        if _find(raw_files, config).films:
            return raw_files
        found = raw_files.listing()
        problem = f"holds no image with a mask of {config_name}" if found else "is empty"
        raise LayoutError(cls.name, f"{manual_dir} {problem}.", config.tree, found)

    def _info(self) -> tfds.core.DatasetInfo:
        config: Config = self.builder_config
        return self.dataset_info_from_configs(
            features=example.mask_features(config.dtype),
            metadata=example.metadata(
                findings=(),
                kind=example.SEGMENTATION,
                label_version="as published",
                split_source=_split_source(config),
                licence=config.licence,
                citation=config.citation,
                redistributable=config.redistributable,
                projections=config.projections,
                original_size=config.original_size,
                mask_definition=config.mask_definition,
                patients_unknown=config.patients_unknown,
                unsafe_for=list(config.unsafe_for),
            ),
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Iterator]:
        config: Config = self.builder_config
        raw_files = self.locate(Path(dl_manager.manual_dir), config.name)
        found = _find(raw_files, config)
        ingest = IngestReport(quarantined=[*raw_files.refused, *found.refused])
        facts = self.info.metadata
        facts.update(quarantined=ingest.quarantined, converted=ingest.converted)
        salt = KERMANY_SALT if config.kermany else SALT
        members: dict[str, list[Film]] = {split: [] for split in FRACTIONS}
        for film in found.films:
            members[splits.assign(film.patient_id, salt, FRACTIONS)].append(film)
        splits.refuse_empty(
            f"lung_masks/{config.name}",
            members,
            "The copy has too few patients to be split; take a larger part of it.",
        )
        return {
            split: self._generate_examples(
                split, [Item(film.image, film) for film in films], raw_files, ingest
            )
            for split, films in members.items()
        }

    def _generate_examples(
        self, split: str, items: list[Item], raw_files: RawFiles, ingest: IngestReport
    ) -> Any:
        config: Config = self.builder_config
        check = partial(receiving.check, Gate(config.dtype), Gate(), config.ignore)
        making = Making(check, self._example)
        return self._from_files(split, items, partial(receiving.read, raw_files), making, ingest)

    def _example(self, item: Item, checked: receiving.CheckedFilm) -> tuple[str, dict]:
        config: Config = self.builder_config
        film: Film = item.facts
        one_view = len(config.projections) == 1 and not config.kermany
        return film.image_id, {
            "image": checked.data,
            "mask": checked.mask,
            "image_id": film.image_id,
            "patient_id": film.patient_id,
            "age": film.person.age,
            "sex": film.person.sex,
            "view": config.projections[0] if one_view else "",
            "label_source": config.label_source,
            "pairing": film.pairing,
        }


def _find(raw_files: RawFiles, config: Config) -> Found:
    finder = _FINDERS.get(config.name)
    return finder(raw_files) if finder else by_name.find(raw_files, config.name)


def _split_source(config: Config) -> str:
    if config.kermany:
        return (
            "70/10/20 of the patients, by salted hash with the salt of kermany_pneumonia: train "
            "and validation hold patients of its training splits alone"
        )
    return "70/10/20 of the patients, by salted hash"
