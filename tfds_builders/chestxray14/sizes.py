"""The original sizes that the tables of images know: NIH resized all of them to 1024 x 1024."""

from __future__ import annotations

from tfds_builders.chestxray14 import table
from tfds_builders.shapes import Shape, shape

_COLUMNS = (
    ("OriginalImage[Width", "Height]", "OriginalImagePixelSpacing[x"),
    ("OriginalImageWidth", "OriginalImageHeight", "OriginalImagePixelSpacing_x"),  # Kaggle's sample
)


def read_shapes(data: bytes, file: str) -> dict[str, Shape]:
    """Image -> its original shape, where ``Data_Entry_2017*.csv`` or ``sample_labels.csv`` says it.

    Raises:
        DatasetError: the table is not as published; says where.
    """
    found: dict[str, Shape] = {}
    for line in table.read(data, file, ("Image Index",)):
        for columns in _COLUMNS:
            told = shape(*(line.cells.get(column, "") for column in columns))
            if told:
                found[line["Image Index"]] = told
    return found
