"""Mask files: how a segmentation network did on every image, pixel by pixel, in four counts.

A gzipped CSV with one line per image of the train, validation and test splits: ``split``,
``image_id``, ``patient_id``, ``pairing`` (how the source matched image and mask; may be empty) and
the pixels that are ``tp`` lung in both masks, ``fp`` in the predicted one only, ``fn`` in the true
one only, ``tn`` in neither. Ignored pixels are in none. Every published number is recomputed from
these files; the predicted masks themselves stay local (``packed_masks``).
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmark.records.npz_columns import arrays_of
from benchmark.records.predictions import (
    IN_MEMORY,
    PredictionFileError,
    decode_frame,
    read_bytes,
    refuse,
    refuse_odd_images,
    require,
    zipped,
)
from benchmark.records.tables import TableError

TEXT = ("split", "image_id", "patient_id", "pairing")
OUTCOMES = ("tp", "fp", "fn", "tn")
MOST_PIXELS = 2**40
"""Of one image; sums of more would not fit 64 bits."""


@dataclass(frozen=True)
class MaskCounts:
    """N images.

    Attributes:
        split, image_id, patient_id, pairing: (N,) text.
        counts: (N, 4) int64, pixels by outcome: tp, fp, fn, tn.
    """

    split: np.ndarray
    image_id: np.ndarray
    patient_id: np.ndarray
    pairing: np.ndarray
    counts: np.ndarray

    def take(self, rows: np.ndarray) -> MaskCounts:
        """These images, by number or by (N,) bool."""
        return MaskCounts(**{name: values[rows] for name, values in vars(self).items()})


def count_pixels(predicted: np.ndarray, true: np.ndarray, known: np.ndarray) -> np.ndarray:
    """(N, 4) int64 pixels that are tp, fp, fn, tn, of (N, H, W) bool masks.

    Args:
        known: (N, H, W) bool; pixels that are False are not counted.
    """
    outcomes = (predicted & true, predicted & ~true, ~predicted & true, ~predicted & ~true)
    return np.stack([(o & known).sum(axis=(1, 2), dtype=np.int64) for o in outcomes], axis=1)


def encode_mask_counts(counts: MaskCounts) -> bytes:
    """The bytes of a mask file. Equal counts, equal bytes.

    Raises:
        PredictionFileError: the arrays are not of the same images.
    """
    columns = {name: getattr(counts, name) for name in TEXT}
    return zipped(columns | dict(zip(OUTCOMES, counts.counts.T, strict=True)))


def read_mask_counts(path: Path) -> MaskCounts:
    """Read a mask file.

    Raises:
        PredictionFileError: the file is missing, damaged, lacks a column, names an image twice in
            one split, or holds a count that cannot be one.
    """
    return decode_mask_counts(read_bytes(path), path)


def decode_mask_counts(data: bytes, where: object = IN_MEMORY) -> MaskCounts:
    """The counts in the bytes of a file; ``where`` names it in messages.

    Raises:
        PredictionFileError: see :func:`read_mask_counts`.
    """
    frame = decode_frame(data, where, TEXT)
    require(frame, where, (*TEXT, *OUTCOMES))
    refuse_odd_images(frame, where)
    fault = "a count that is not a whole number of pixels"
    if any(frame[name].dtype.kind != "i" for name in OUTCOMES):
        raise PredictionFileError(f"{where}: {fault}")
    counts = frame[list(OUTCOMES)].to_numpy(np.int64)
    refuse(frame, where, (counts < 0) | (counts > MOST_PIXELS), fault)
    text = {name: frame[name].to_numpy(dtype=str) for name in TEXT}
    return MaskCounts(**text, counts=counts)


def pack_masks(image_ids: np.ndarray, masks: np.ndarray) -> bytes:
    """A file of (N, H, W) bool masks, a bit a pixel, compressed, with the ids of their images."""
    data = io.BytesIO()
    bits = np.packbits(masks, axis=-1)
    np.savez_compressed(data, image_id=image_ids.astype(str), bits=bits, width=masks.shape[-1])
    return data.getvalue()


def packed_masks(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Image ids (N,) and masks (N, H, W) bool, as :func:`pack_masks` was given them.

    Raises:
        PredictionFileError: the file is missing or damaged.
    """
    try:
        file = arrays_of(path)
        masks = np.unpackbits(file["bits"], axis=-1, count=int(file["width"]))
        return file["image_id"], masks.astype(bool)
    except (FileNotFoundError, TableError, ValueError, KeyError, TypeError) as error:
        raise PredictionFileError(
            f"{path}: no readable file of predicted masks ({error}). Masks are not published; "
            "train the network here: cxr-bench run --suite lungs --rerun all"
        ) from None
