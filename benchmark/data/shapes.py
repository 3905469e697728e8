"""The shapes of a set's original files, ``shapes.json`` beside the manifest: what is known of them.

A shape is known before anybody looks at a picture, and may tell a finding all the same: large films
of one hospital, small ones of another. It is kept apart from the manifest, whose hash names the
images, and is sealed like every record; a set that was prepared before shapes were recorded has
none. How they are found out: :mod:`benchmark.data.shape_recording`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmark.records.door import RecordError, read_record
from benchmark.records.facts import Record
from benchmark.spec import Sha256

SHAPES = "shapes.json"
NUMBERS = ("width", "height", "spacing", "bits", "bytes_a_pixel")


class Shapes(Record, frozen=True):
    """The original shapes of N images in the order of the manifest; None where one is not known.

    Attributes:
        manifest_sha256: of the manifest that lists the images.
        width, height: pixels, before anybody resized the image.
        spacing: mm from pixel to pixel.
        bits, bytes_a_pixel: of a file of that size: bits of a channel, and what all channels of a
            pixel take uncompressed. (How well a file compresses is seen in its picture.)
    """

    manifest_sha256: Sha256
    image_id: list[str]
    width: list[int | None]
    height: list[int | None]
    spacing: list[float | None]
    bits: list[int | None]
    bytes_a_pixel: list[float | None]

    def __post_init__(self) -> None:
        if any(len(getattr(self, name)) != len(self.image_id) for name in NUMBERS):
            raise ValueError("its columns are not equally long")
        for name, values in self.columns().items():
            if not (np.isnan(values) | (np.isfinite(values) & (values > 0))).all():
                raise ValueError(f"{name} holds what is no positive number")
        if any((w is None) != (h is None) for w, h in zip(self.width, self.height, strict=True)):
            raise ValueError("a width is known without a height, or the other way round")

    def columns(self, lines: np.ndarray | slice = slice(None)) -> dict[str, np.ndarray]:
        """Every number of these lines by name, (N,) float64, NaN where it is not known."""
        return {name: np.array(getattr(self, name), np.float64)[lines] for name in NUMBERS}

    @property
    def known(self) -> np.ndarray:
        """(N,) whether width and height are known."""
        return np.array([width is not None for width in self.width], bool)

    @property
    def sizes(self) -> set[tuple[int, int]]:
        """The different (width, height) that are known."""
        pairs = zip(self.width, self.height, strict=True)
        return {(w, h) for w, h in pairs if w is not None and h is not None}

    @property
    def vary(self) -> bool:
        """Whether those that are known differ in any number."""
        columns = self.columns(self.known)
        return any(len(np.unique(v[~np.isnan(v)])) > 1 for v in columns.values())


def read_shapes(folder: Path, manifest_sha256: str, image_ids: Sequence[str]) -> Shapes | None:
    """The shapes of a prepared set; None where it was prepared before they were recorded.

    Args:
        folder: the set's TFDS version folder.
        manifest_sha256, image_ids: of its manifest.

    Raises:
        RecordError: the file was changed, or is about other images.
    """
    path = folder / SHAPES
    if not path.is_file():
        return None
    todo = "Run `cxr-bench prepare` for this set again: it records them anew."
    shapes = read_record(path, Shapes, todo)
    if shapes.manifest_sha256 != manifest_sha256 or shapes.image_id != list(image_ids):
        raise RecordError(f"{path}: is about other images than the manifest beside it. {todo}")
    return shapes


def obstacle(name: str, shapes: Shapes | None) -> str:
    """Why the shape of a set's files cannot tell anything, and what to do; empty where it may.

    Args:
        name: of the data set.
        shapes: of all its images.
    """
    if shapes is None:
        return (
            f"{name} was prepared before the shapes of files were recorded. Run `cxr-bench prepare "
            f"{name} [--manual-dir DIR]` again: it adds them and leaves all else as it is."
        )
    unknown, images = int((~shapes.known).sum()), len(shapes.image_id)
    if unknown:
        return (
            f"the original width and height of {unknown:,} of the {images:,} images of {name} are "
            "not known: this copy was resized, and no table tells them. Where you have a table "
            f"that does: `cxr-bench prepare {name} [--manual-dir DIR] --sizes FILE`."
        )
    return "" if shapes.vary else f"all files of {name} have the same shape{_said(shapes)}."


def _said(shapes: Shapes) -> str:
    return "".join(f" ({width} x {height} px)" for width, height in shapes.sizes)
