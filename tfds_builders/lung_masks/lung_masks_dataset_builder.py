"""lung_masks: radiographs with masks of the lung fields, to train a segmentation network on."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import tensorflow_datasets as tfds

from tfds_builders import example, images, splits
from tfds_builders.errors import DatasetError, LayoutError, Unreadable
from tfds_builders.kermany_pneumonia.kermany_pneumonia_dataset_builder import SALT as KERMANY_SALT
from tfds_builders.lung_masks import by_name, darwin, kermany_pairs, pixels
from tfds_builders.lung_masks.films import Film, Found
from tfds_builders.lung_masks.holdings import Holdings
from tfds_builders.lung_masks.sets import CONFIGS, Config

SALT = "lung_masks/1"
FRACTIONS = {"train": 0.7, "validation": 0.1, "test": 0.2}
"""With Kermany's salt, train and validation lie within the first 80 %: patients that the configs
``official`` and ``internal`` of kermany_pneumonia both train on."""

_FINDERS = {"darwin": darwin.find, "kermany_pairs": kermany_pairs.find}


class Builder(tfds.core.GeneratorBasedBuilder):
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
    def locate(cls, manual_dir: Path, config_name: str) -> Holdings:
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
        holdings = Holdings(own if own.is_dir() else manual_dir)
        if _find(holdings, config).films:
            return holdings
        found = holdings.listing()
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
        holdings = self.locate(Path(dl_manager.manual_dir), config.name)
        found = _find(holdings, config)
        intake = images.Intake(config.dtype, quarantined=[*holdings.refused, *found.refused])
        facts = self.info.metadata
        facts.update(quarantined=intake.quarantined, converted=intake.converted)
        salt = KERMANY_SALT if config.kermany else SALT
        members: dict[str, list[Film]] = {split: [] for split in FRACTIONS}
        for film in found.films:
            members[splits.assign(film.patient_id, salt, FRACTIONS)].append(film)
        _refuse_empty(members, config)
        return {
            split: self._generate_examples(holdings, intake, split, films)
            for split, films in members.items()
        }

    def _generate_examples(self, holdings, intake, split, films) -> Iterator[tuple[str, dict]]:
        admitted = 0
        for film in films:
            pixel_pair = _admit(holdings, intake, film, self.builder_config)
            if pixel_pair:
                admitted += 1
                yield film.image_id, self._example(film, *pixel_pair)
        if not admitted:
            raise DatasetError(
                f"{self.name}: no usable image is left for the split {split!r}. "
                f"Of {len(films)} all were refused, e.g. {intake.quarantined[-1:]}."
            )

    def _example(self, film: Film, image: bytes, mask: bytes) -> dict:
        config: Config = self.builder_config
        one_view = len(config.projections) == 1 and not config.kermany
        return {
            "image": image,
            "mask": mask,
            "image_id": film.image_id,
            "patient_id": film.patient_id,
            "age": film.person.age,
            "sex": film.person.sex,
            "view": config.projections[0] if one_view else "",
            "label_source": config.label_source,
            "pairing": film.pairing,
        }


def _find(holdings: Holdings, config: Config) -> Found:
    finder = _FINDERS.get(config.name)
    return finder(holdings) if finder else by_name.find(holdings, config.name)


def _split_source(config: Config) -> str:
    if config.kermany:
        return (
            "70/10/20 of the patients, by salted hash with the salt of kermany_pneumonia: train "
            "and validation hold patients of its training splits alone"
        )
    return "70/10/20 of the patients, by salted hash"


def _refuse_empty(members: dict[str, list[Film]], config: Config) -> None:
    empty = [split for split, films in members.items() if not films]
    if empty:
        counts = {split: len(films) for split, films in members.items()}
        raise DatasetError(
            f"lung_masks/{config.name}: no image falls into {' and '.join(empty)} (images: "
            f"{counts}). The copy has too few patients to be split; take a larger part of it."
        )


def _admit(
    holdings: Holdings, intake: images.Intake, film: Film, config: Config
) -> tuple[bytes, bytes] | None:
    """Image and mask as they enter the set, or None where one of them is unusable."""
    try:
        image, how = _image(holdings.read(film.image), film.image, config)
        parts = [holdings.read(name) for name in film.masks]
        mask, done = pixels.lung_mask(parts, _shape(image), ignore=config.ignore)
    except Unreadable as error:
        intake.refuse(film.image, str(error))
        return None
    if how or done:
        reasons = ", ".join(reason for reason in (how, done) if reason)
        intake.converted.append({"file": film.image, "reason": reasons})
    return image, mask


def _image(data: bytes, name: str, config: Config) -> tuple[bytes, str]:
    if name.upper().endswith(".IMG"):
        return pixels.film(data), "raw 12-bit film turned around, to 16-bit PNG"
    checked = images.check(data, config.dtype)
    if checked.data is None:
        raise Unreadable(checked.reason)
    return checked.data, checked.reason


def _shape(image: bytes) -> tuple[int, int]:
    from PIL import Image

    width, height = Image.open(io.BytesIO(image)).size  # reads the header only
    return height, width
