"""Trained rows on images that nobody has labelled: files of a folder, prepared as their own were.

Loaded where a framework may be; the network and the preparation are those of the row, and what
cannot be prepared as its images were is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from benchmark.data import preprocessing as variants
from benchmark.data.decode import decode_images, stored_dtype
from benchmark.data.discovery import find_dataset
from benchmark.data.heartbeat import Heartbeat
from benchmark.data.prepared import Prepared
from benchmark.errors import UserError
from benchmark.kinds.trained import trained_weights
from benchmark.models import ModelFile
from benchmark.records.predictions import link
from benchmark.records.row import Row
from benchmark.records.store import Results
from benchmark.spec import LUNGS, Spec
from benchmark.training.network import fresh_model, load_weights
from benchmark.training.stage import EVALUATION_BATCH, predict_logits
from tfds_builders.archives import Folder
from tfds_builders.errors import Unreadable
from tfds_builders.image_folder.pixels import OwnGate
from tfds_builders.images import Gate, silenced

HELD = 2**27
"""Bytes of images that are in memory at a time, or as many as one batch has."""


@dataclass(frozen=True)
class Told:
    """What networks say of N images, F findings.

    Attributes:
        image_id: (N,) names of the files within their folder.
        logits, probabilities: (N, F) float32 of each network.
        refused: name of a file -> why it is no image that could be read.
    """

    image_id: list[str]
    logits: list[np.ndarray]
    probabilities: list[np.ndarray]
    refused: dict[str, str]


def row_network(row: Row, model_file: ModelFile, results: Results) -> keras.Model:
    """The network of a row with its weights; float32 (B, S, S, 1) in [0, 1] -> logits (B, F).

    Raises:
        UserError: as :func:`benchmark.kinds.trained.trained_weights`.
    """
    weights = trained_weights(row, model_file, results)
    network = fresh_model(row.spec, model_file, row.task)
    load_weights(network, weights)
    return network


def predict_folder(
    rows: Sequence[Row],
    folder: Path,
    model_file: ModelFile,
    results: Results,
    prepared: Prepared,
) -> Told:
    """What the networks of rows say of the images in a folder, in the order of their names.

    Files are read once for all of them, a part of the folder at a time.

    Args:
        rows: of one configuration.
        prepared: the data set of the rows, which says how its images are stored.

    Raises:
        UserError: a row has no such network, its images were prepared in a way that those of the
            folder cannot be, or the folder holds no image.
    """
    spec, task = rows[0].spec, rows[0].task
    _check_preparation(spec, prepared)
    weights = [trained_weights(row, model_file, results) for row in rows]
    # One for all seeds: TensorFlow would compile each anew, and warn of it.
    network = fresh_model(spec, model_file, task)
    source = Folder(folder)
    names = source.names()
    refused = {each["file"]: each["reason"] for each in source.refused()}
    read = _Reader(source, spec, stored_dtype(prepared.path))
    found: list[str] = []
    logits: list[list[np.ndarray]] = [[] for _ in rows]
    with silenced():
        for part in _parts(names, spec.resolution):
            images, ids, bad = read.images(part)
            refused |= bad
            found += ids
            if not ids:
                continue
            for of_row, path in zip(logits, weights, strict=True):
                load_weights(network, path)
                of_row.append(predict_logits(network, images, Heartbeat()))
    if not found:
        raise UserError(f"{folder} holds no image that can be read ({len(names)} file(s) tried)")
    read.check_shapes()
    every = [np.concatenate(of_row) for of_row in logits]
    return Told(found, every, [link(each, task.kind) for each in every], refused)


def _parts(names: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    """As many at a time as memory is to hold, in whole batches."""
    most = EVALUATION_BATCH * max(1, HELD // (EVALUATION_BATCH * size**2))
    for start in range(0, len(names), most):
        yield names[start : start + most]


def _check_preparation(spec: Spec, prepared: Prepared) -> None:
    if prepared.manifest_sha256 != spec.manifest_sha256:
        raise UserError(
            f"{prepared.name} was prepared anew after row {spec.spec_id} was made: how its images "
            "were stored is not known any more. Run the row again"
        )
    if LUNGS in spec.requires:
        raise UserError(
            f"row {spec.spec_id} was trained on images under {spec.preprocessing}, which needs "
            "masks of the lungs: those of other images are not made by this command"
        )


class _Reader:
    """Reads and prepares files as the views of a spec are made."""

    def __init__(self, source: Folder, spec: Spec, dtype: tf.DType):
        self._source, self._spec, self._dtype = source, spec, dtype
        own = find_dataset(spec.dataset).own
        self._gate = (OwnGate if own else Gate)(dtype.as_numpy_dtype)
        self._variant = variants.find(spec.preprocessing)
        self._apply = self._variant.load()
        self._oblong = 0

    def images(self, names: Sequence[str]) -> tuple[np.ndarray, list[str], dict[str, str]]:
        """uint8 (n, S, S) of the files that are images, their names, and why others are none."""
        kept, ids, refused = [], [], {}
        for name, checked in zip(names, map(self._checked, names), strict=True):
            if isinstance(checked, str):
                refused[name] = checked
                continue
            kept.append(self._prepared(checked))
            ids.append(name)
        size = self._spec.resolution
        return np.stack(kept) if kept else np.empty((0, size, size), np.uint8), ids, refused

    def check_shapes(self) -> None:
        """Refuse copies that somebody squashed for a network that saw none.

        Raises:
            UserError: images are made square by the spec, and all were square before.
        """
        if self._variant.before_resize and not self._oblong:
            raise UserError(
                f"row {self._spec.spec_id} was trained on images under {self._spec.preprocessing}, "
                "and all of these are square already: copies that were squashed or cut are another "
                "preparation. Get the original files"
            )

    def _checked(self, name: str) -> bytes | str:
        """An image's bytes, or why there are none."""
        try:
            checked = self._gate.check(self._source.read(name))
        except Unreadable as error:
            return str(error)
        return checked.reason if checked.data is None else checked.data

    def _prepared(self, data: bytes) -> np.ndarray:
        square = self._square if self._variant.before_resize else None
        (image,) = decode_images(tf.constant(data), (self._spec.resolution,), self._dtype, square)
        grey = image[..., 0].numpy()
        return grey if square else self._apply(grey)

    def _square(self, image: np.ndarray) -> np.ndarray:
        self._oblong += image.shape[0] != image.shape[1]
        return self._apply(image)
