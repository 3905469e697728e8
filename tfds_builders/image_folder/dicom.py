"""DICOM files (``.dcm``): pixels as they are to be shown, and what the header says.

Needs pydicom, ``pip install 'cxr-bench[dicom]'``; nothing else here does.
"""

from __future__ import annotations

import io
import warnings
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from tfds_builders.errors import DatasetError, Unreadable
from tfds_builders.image_folder import cells
from tfds_builders.image_folder.patients import is_nobody
from tfds_builders.images import MAX_PIXELS, Header, luma


class Told(NamedTuple):
    """What a header says: patient, sex, age and view, each "" or -1 where it does not."""

    patient: str
    sex: str
    age: int
    view: str


def is_dicom(data: bytes) -> bool:
    """True for bytes that begin as DICOM does."""
    return data[128:132] == b"DICM"


def refuse_without_pydicom(number: int) -> None:
    """Raise a DatasetError where DICOM files cannot be read."""
    try:
        import pydicom  # noqa: F401
    except ImportError:
        raise DatasetError(
            f"image_folder: {number} DICOM files are there, and pydicom is not, which reads them: "
            "pip install 'cxr-bench[dicom]'."
        ) from None


def told(data: bytes) -> Told:
    """What the header of a file says.

    Raises:
        Unreadable: it has none that can be read.
    """
    found = _read(data, pixels=False)
    patient = str(found.get("PatientID", "")).strip()
    view = cells.view(str(found.get("ViewPosition", "") or ""))
    return Told(
        "" if is_nobody(patient) else patient,
        cells.sex(str(found.get("PatientSex", "") or "")),
        cells.age(str(found.get("PatientAge", "") or "")),
        view,
    )


def grey(data: bytes) -> tuple[np.ndarray, Header]:
    """Pixels (H, W) uint8, black to white, and how the file stored one.

    Raises:
        Unreadable: there is no picture, several, or one in a form that cannot be read.
    """
    found = _read(data, pixels=True)
    rows, columns = int(found.get("Rows", 0)), int(found.get("Columns", 0))
    if not 0 < rows * columns <= MAX_PIXELS:
        raise Unreadable(f"a DICOM file without a picture that can be shown ({rows} x {columns})")
    if int(found.get("NumberOfFrames", 1) or 1) > 1:
        raise Unreadable(f"a DICOM file of {found.NumberOfFrames} pictures; one is wanted")
    try:
        pixels = _shown(found)
    except Exception as error:  # of a dozen decoders
        *_, said = str(error).strip().splitlines() or [type(error).__name__]
        raise Unreadable(f"its DICOM picture cannot be decoded: {said}") from None
    header = Header(int(found.get("BitsStored", 8)), int(found.get("SamplesPerPixel", 1)))
    return pixels, header


def _read(data: bytes, *, pixels: bool) -> Any:
    import pydicom

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of values that are not as the standard says
            return pydicom.dcmread(io.BytesIO(data), stop_before_pixels=not pixels)
    except Exception as error:  # a broken file raises nearly anything
        raise Unreadable(f"its DICOM header cannot be read: {error}") from None


def _shown(found: Any) -> np.ndarray:
    from pydicom.pixels import apply_modality_lut, apply_voi_lut, convert_color_space

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        values = found.pixel_array
        if int(found.get("SamplesPerPixel", 1)) > 1:
            space = found.PhotometricInterpretation
            colours = convert_color_space(values, space, "RGB") >> max(0, found.BitsStored - 8)
            return luma(Image.fromarray(colours.astype(np.uint8)))
        windowed = "WindowCenter" in found or "VOILUTSequence" in found
        values = apply_modality_lut(values, found)
        shown = apply_voi_lut(values, found) if windowed else values
    beside = _padding(found.pixel_array, found)
    low, high = shown[~beside].min(), shown[~beside].max()
    grey = (shown.astype(np.float64) - low) * (255 / (high - low or 1))
    if found.PhotometricInterpretation == "MONOCHROME1":
        grey = 255 - grey
    return np.rint(np.where(beside, 0, grey).clip(0, 255)).astype(np.uint8)


def _padding(stored: np.ndarray, found: Any) -> np.ndarray:
    """(H, W) where there is no picture but what fills the frame, which is to be black."""
    if "PixelPaddingValue" not in found:
        return np.zeros(stored.shape, bool)
    ends = [found.PixelPaddingValue, found.get("PixelPaddingRangeLimit", found.PixelPaddingValue)]
    beside = (min(ends) <= stored) & (stored <= max(ends))
    return beside & ~beside.all()
