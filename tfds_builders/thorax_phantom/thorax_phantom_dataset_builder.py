"""thorax_phantom: simulated chest radiographs, generated in place, nothing to download."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import tensorflow_datasets as tfds

from tfds_builders import example, splits
from tfds_builders.thorax_phantom.patients import FINDINGS, VIEWS, draw_patient

FRACTIONS = {"train": 0.60, "validation": 0.15, "test": 0.25}
SALT = "thorax_phantom/11"  # of the first fifteen, the one with enough of each finding everywhere


@dataclass(eq=False, kw_only=True)
class PhantomConfig(tfds.core.BuilderConfig):
    """One cohort: pixels a side, number of patients, and the seed of everything drawn."""

    size: int
    patients: int
    seed: int = 2024

    @property
    def names(self) -> list[str]:
        """Patients of the cohort."""
        return [f"P{number:05d}" for number in range(1, self.patients + 1)]


class Builder(tfds.core.GeneratorBasedBuilder):
    """Simulated chest radiographs with seven findings."""

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES: ClassVar = {"1.0.0": "First release."}
    BUILDER_CONFIGS: ClassVar = [
        PhantomConfig(name="default", description="128 px, 620 patients", size=128, patients=620),
        PhantomConfig(name="small", description="64 px, for quick tests", size=64, patients=60),
        PhantomConfig(name="px512", description="512 px, 620 patients", size=512, patients=620),
    ]
    EMBEDDED = True

    def _info(self) -> tfds.core.DatasetInfo:
        return self.dataset_info_from_configs(
            features=example.features(len(FINDINGS)),
            metadata=example.metadata(
                findings=FINDINGS,
                kind="multilabel",
                label_version=f"simulated, seed {self.builder_config.seed}",
                projections=VIEWS,
                original_size=self.builder_config.size,
                split_source="cxr-bench: salted SHA-256 of patient_id, 60/15/25",
                licence="Apache-2.0",
                citation="cxr-bench thorax_phantom, simulated",
                redistributable=True,
                simulated=True,
            ),
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict:
        members: dict[str, list[str]] = {split: [] for split in FRACTIONS}
        for name in self.builder_config.names:
            members[splits.assign(name, SALT, FRACTIONS)].append(name)
        return {split: self._generate_examples(names) for split, names in members.items()}

    def _generate_examples(self, names: list[str]) -> Iterator[tuple[str, dict]]:
        # Here, because it takes a second with SciPy's modules, and every command lists builders.
        from tfds_builders.thorax_phantom.simulation import simulate

        for name in names:
            patient = draw_patient(self.builder_config.seed, name)
            for index in range(patient.n_images):
                film = simulate(patient, index, self.builder_config.size)
                key = f"{name}_{index:03d}"
                yield (
                    key,
                    {
                        "image": film.pixels[..., None],
                        "image_id": key,
                        "patient_id": name,
                        "findings": np.array([f in film.findings for f in FINDINGS], np.uint8),
                        "labelled": np.ones(len(FINDINGS), np.uint8),
                        "age": film.age,
                        "sex": film.sex,
                        "view": film.view,
                        "label_source": "simulation",
                    },
                )
