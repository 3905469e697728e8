"""Small data sets as TFDS stores them, with the manifest that belongs to them."""

from __future__ import annotations

import io
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from tests.encoded import encoded


def store(folder: Path, parts: dict[str, list[tuple[str, bytes]]], dtype=np.uint8):
    """Store (image_id, encoded image) pairs per split; return a stand-in for Prepared."""
    import pandas as pd
    import tensorflow_datasets as tfds

    from benchmark.data.decode import raw_examples

    features = tfds.features.FeaturesDict(
        {
            "image": tfds.features.Image(shape=(None, None, 1), dtype=dtype),
            "image_id": tfds.features.Text(),
        }
    )

    class Tiny(tfds.core.GeneratorBasedBuilder, skip_registration=True):
        name = "tiny"
        VERSION = tfds.core.Version("1.0.0")

        def _info(self):
            return tfds.core.DatasetInfo(builder=self, features=features)

        def _split_generators(self, dl_manager):
            return {split: self._generate_examples(parts[split]) for split in parts}

        def _generate_examples(self, images):
            for name, image in images:
                yield name, {"image": io.BytesIO(image), "image_id": name}

    tfds.disable_progress_bar()
    builder = Tiny(data_dir=folder)
    builder.download_and_prepare()
    path = Path(builder.data_dir)
    lines = [
        (example["image_id"].decode(), split)
        for split in parts
        for example in raw_examples(path, split).as_numpy_iterator()
    ]
    manifest = pd.DataFrame(lines, columns=["image_id", "split"])
    return SimpleNamespace(
        name="tiny/default",
        version="1.0.0",
        path=path,
        manifest_sha256="0" * 64,
        manifest=lambda: manifest,
    )


def grey_images(count: int, seed: int, side: int = 48) -> list[tuple[str, bytes]]:
    random = np.random.default_rng(seed)
    shapes = random.integers(side, 2 * side, (count, 2))
    return [
        (f"s{seed}-{i:03d}", encoded(random.integers(0, 256, shape, np.uint8)))
        for i, shape in enumerate(shapes)
    ]
