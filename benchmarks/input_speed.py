"""Speed of the input: the first pass over large PNG files, and epochs from the view it leaves.

The files are 1024 x 1024 px, made from real radiographs where there is a folder of them, else
simulated. Beside the first pass: the same files decoded and resized by a bare ``tf.data`` map, and
by Keras' ``image_dataset_from_directory``.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path

import numpy as np

from benchmarks.measure import Measure, alternating, seconds

SIDE, SIZE, BATCH = 1024, 224, 32
SIMULATED = 24
"""Patients where there are no real ones; a dozen fewer leave the validation split empty."""


def make_files(source: Path | None, folder: Path, wanted: int) -> None:
    """Grey PNG files in two class folders; shifted and flipped copies of the images there are.

    Copies have one patient's number, so that they stay in one split.
    """
    from PIL import Image

    originals = _real(source) if source else _simulated()
    for number in range(wanted):
        patient = number % len(originals)
        turned = np.roll(originals[patient], 16 * (number // len(originals)), axis=1)
        path = folder / ("NORMAL", "PNEUMONIA")[patient % 2] / f"{patient:03d}_{number:05d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(turned).save(path)


def _real(source: Path) -> list[np.ndarray]:
    from PIL import Image

    paths = sorted((source / "nih_1000" / "images_original").glob("*.png"))
    return [np.asarray(Image.open(path).convert("L").resize((SIDE, SIDE))) for path in paths]


def _simulated() -> list[np.ndarray]:
    from PIL import Image

    from tfds_builders.thorax_phantom.patients import draw_patient
    from tfds_builders.thorax_phantom.simulation import simulate

    patients = [draw_patient(0, f"P{number:05d}") for number in range(SIMULATED)]
    films = [Image.fromarray(simulate(each, 0, SIDE // 2).pixels) for each in patients]
    return [np.asarray(film.resize((SIDE, SIDE))) for film in films]


def prepared_set(files: Path, data_dir: Path):
    """The files as a prepared data set."""
    from benchmark.data.discovery import find_dataset
    from benchmark.data.prepare import prepare
    from tfds_builders.image_folder.options import Options

    options = Options(patient_pattern=r"^(\d+)_")
    dataset = replace(find_dataset("image_folder/bench"), options=options)
    return prepare(dataset, data_dir, files)


def measure(source: Path | None, images: int, pairs: int, drawn: int) -> list[Measure]:
    """Everything in this file.

    Args:
        source: folder with ``nih_1000/images_original``; None to simulate.
        images: number of files.
        pairs: measurements of each first pass.
        drawn: images to draw from the view in epochs; a tenth of them with augmentation.
    """
    with tempfile.TemporaryDirectory() as folder:
        files = Path(folder) / "files"
        make_files(source, files, images)
        prepared = prepared_set(files, Path(folder) / "data")
        fresh = (Path(folder) / f"cache{number}" for number in count())
        first, measures = _first_pass(prepared, files, fresh, images, pairs)
        return measures + _epochs(prepared, Path(folder) / "cache0", drawn, first)


def _first_pass(prepared, files: Path, caches, images: int, pairs: int):
    ours = partial(_views, prepared, caches)
    ours()  # TensorFlow warms up
    measures = []
    for work, name, goal in (
        (_bare, "bare tf.data, decode and resize", 0.9),
        (_keras, "Keras image_dataset_from_directory", None),
    ):
        found = alternating(ours, partial(work, files), pairs)
        what = f"first pass, {images:,} PNG of {SIDE} px to views of {SIZE} px"
        aim = {"goal": f">= {goal}", "reached": 1 / found.ratio >= goal} if goal else {}
        ratios = {"ratio": 1 / found.ratio, "cpu": 1 / found.cpu}
        rates = {"theirs": images / found.theirs, "beside": name}
        measures.append(Measure(what, images / found.ours, "images/s", **ratios, **rates, **aim))
    return images / found.ours, measures


def _views(prepared, caches) -> None:
    from benchmark.data.prepared import SPLITS
    from benchmark.data.views import open_view

    cache = next(caches)
    for split in SPLITS:
        open_view(prepared, split, SIZE, "raw", cache)


def _bare(files: Path) -> None:
    import tensorflow as tf

    from benchmark.data.parallel import parallel_map

    def load(path):
        image = tf.io.decode_png(tf.io.read_file(path), channels=1)
        return tf.cast(tf.round(tf.image.resize(image, (SIZE, SIZE), method="area")), tf.uint8)

    paths = tf.data.Dataset.from_tensor_slices(sorted(map(str, files.glob("*/*.png"))))
    for _ in parallel_map(paths, load).batch(BATCH).prefetch(1):
        pass


def _keras(files: Path) -> None:
    import keras

    images = keras.utils.image_dataset_from_directory(
        files, color_mode="grayscale", image_size=(SIZE, SIZE), batch_size=BATCH, verbose=False
    )
    for _ in images:
        pass


def _epochs(prepared, cache: Path, drawn: int, first: float) -> list[Measure]:
    from benchmark.data.views import open_view

    images = open_view(prepared, "train", SIZE, "raw", cache).images
    measures = []
    for augmentation, wanted, rate, goal in (
        ("none", drawn, 20_000, ">= 20,000 images/s and 100 x the first pass"),
        ("standard", drawn // 10, 1_500, ">= 1,500 images/s"),
    ):
        took = seconds(partial(draw, images, augmentation, wanted))
        reached = wanted / took >= rate and (rate < 20_000 or wanted / took >= 100 * first)
        what = f"epochs from the view at {SIZE} px, augmentation {augmentation}"
        pair = {"theirs": first, "beside": "the first pass", "ratio": wanted / took / first}
        measures.append(
            Measure(what, wanted / took, "images/s", goal=goal, reached=reached, **pair)
        )
    return measures


def draw(images: np.ndarray, augmentation: str, wanted: int) -> None:
    """Draw so many training images as training does, and do nothing with them."""
    from benchmark.data.pipeline import steps_per_epoch, training_batches

    steps = steps_per_epoch(len(images), BATCH)
    batches = training_batches(
        images,
        np.zeros((len(images), 1)),
        batch_size=BATCH,
        seed=0,
        augmentation=augmentation,
        epochs=max(1, wanted // (steps * BATCH)) + 1,
    )
    for _ in batches.take(wanted // BATCH):
        pass
