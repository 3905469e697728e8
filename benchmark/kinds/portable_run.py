"""The network of a row as a file that Keras loads without this package."""

from __future__ import annotations

from pathlib import Path

import keras

from benchmark.errors import UserError
from benchmark.kinds.unlabelled_run import row_network
from benchmark.models import ModelFile
from benchmark.records.row import Row
from benchmark.records.store import Results

ENDING = ".keras"


def save_portable(row: Row, model_file: ModelFile, results: Results, path: Path) -> None:
    """Save what a row trained, whole or not at all: images (B, S, S, 1) in [0, 1] -> probabilities.

    Its own normalisation is written out in operations of Keras.

    Raises:
        UserError: the path does not end in :data:`ENDING`, the row has no such network, or the
            network has layers that only this package, or the model's file, can load.
    """
    if path.suffix != ENDING:
        raise UserError(f"{path}: name a file that ends in {ENDING}")
    made = portable(row_network(row, model_file, results), row)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}.tmp{ENDING}")
    try:
        made.save(temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def portable(network: keras.Model, row: Row) -> keras.Model:
    """The same network of nothing but layers and operations of Keras, with probabilities.

    Returns:
        float32 (B, S, S, 1) in [0, 1] -> float32 probabilities (B, F).

    Raises:
        UserError: it has layers of other kinds.
    """
    normalisation, inner = network.get_layer("normalisation"), network.layers[-1]
    foreign = sorted({type(layer).__name__ for layer in inner._flatten_layers() if _foreign(layer)})
    if foreign:
        raise UserError(
            f"{row.spec.model} has layers that plain Keras does not know ({', '.join(foreign)}); "
            f"its weights are in the row's file {row.spec_id}.weights.h5"
        )
    images = keras.Input(network.input_shape[1:], dtype="float32", name="images")
    logits = inner(normalisation.call(images))
    exclusive = row.task.exclusive
    link = keras.layers.Activation(
        "softmax" if exclusive else "sigmoid", dtype="float32", name="probabilities"
    )
    return keras.Model(images, link(logits), name=row.spec.model)


def _foreign(layer: keras.layers.Layer) -> bool:
    return not type(layer).__module__.startswith("keras.")
