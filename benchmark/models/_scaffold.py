"""The file that ``cxr-bench new-model`` writes."""

from __future__ import annotations

from pathlib import Path

from benchmark.bounds import FILE
from benchmark.errors import UserError, quoted
from benchmark.models._discovery import BUILT_IN
from benchmark.records.files import write_atomic

TEMPLATE = '''"""{title}: say in one line what it is."""

from __future__ import annotations

import keras

from benchmark.models._head import logits

# Read without running this file, so plain values only: no names, no calls.
CARD = {{
    "title": "{title}",  # as it stands in the leaderboard
    "description": "Three convolutions, global average pooling.",  # one sentence
    "reference": "unpublished",  # the paper, with its DOI or arXiv number
    "source_system": "",
    "inputs": "image",
    "channels": 1,  # what build gets: 1, or 3 (the grey image repeated)
    # What normalisation = ["own"] in a suite file means here: unit, standardise, imagenet,
    # minus1_1, lite or caffe.
    "own_normalisation": "standardise",
    "min_size": 32,  # smallest and largest image side in px; None: no limit
    "max_size": None,{statement}
    # Where build can load a weight file, {{"imagenet": "where from, licence"}}, and its name under
    # "weight_files", a list. Such a model has a layer "features", (B, D), before its head.
    "weights": {{}},
    "deterministic": False,  # True: the seed changes nothing, one run is enough
}}


def build(input_shape, task, weights):
    """The network: normalised float32 images (B, *input_shape) -> float32 logits (B, F).

    Args:
        input_shape: (height, width, channels).
        task: ``task.findings`` and ``task.kind``; ``logits`` makes one output a finding.
        weights: path of a weight file, or None; always None while the card names no weights.
    """
    images = keras.Input(input_shape)
    x = images
    for width in (16, 32, 64):  # change from here ...
        x = keras.layers.Conv2D(width, 3, padding="same", activation="relu")(x)
        x = keras.layers.MaxPooling2D()(x)
    x = keras.layers.GlobalAveragePooling2D()(x)  # ... to here; no softmax or sigmoid at the end
    return keras.Model(images, logits(x, task))
'''
STATEMENT = """
    # A statement the tests check. benchmark.models.measure counts both numbers for you.
    "parameters": {"size": 64, "channels": 1, "outputs": 1, "count": 23361},
    "gmacs_224": 0.122830912,  # multiply-adds at 224 px with one output, divided by 1e9"""
"""What files of the package say beforehand; a file of one's own is counted when it is built."""


def new_model(name: str, folder: Path) -> Path:
    """Write a working model file ``<name>.py`` for its author to change.

    Args:
        name: the model's name: a letter and up to 59 of a-z, 0-9 and _.
        folder: where to; made if it does not exist.

    Returns:
        The file's path.

    Raises:
        UserError: the name cannot be a model's, is taken by a built-in model, or the file exists.
    """
    path = folder / f"{name}.py"
    if not FILE.fits(name):
        raise UserError(f"{quoted(name)} cannot be a model's name: use {FILE.words}.")
    if (BUILT_IN / path.name).exists():
        raise UserError(f"there is a built-in model {quoted(name)} already; choose another name.")
    if path.exists():
        raise UserError(f"{path} exists already; choose another name or delete it first.")
    statement = STATEMENT if folder == BUILT_IN else ""
    title = name.replace("_", " ").capitalize()
    write_atomic(path, TEMPLATE.format(title=title, statement=statement).encode())
    return path
