"""DICOM files (``.dcm``): pixels as they are to be shown, and what the header says.

Needs pydicom, ``pip install 'cxr-bench[dicom]'``; nothing else here does.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from tfds_builders.errors import DatasetError, Unreadable, last_line
from tfds_builders.image_folder import cells
from tfds_builders.image_folder.names import is_picture, is_text
from tfds_builders.image_folder.patients import is_nobody
from tfds_builders.images import MAX_PIXELS, Header, luma, refuse_infinite

_MARK = b"DICM"
_HEAD = 4096  # in which the header says how what follows is written


class Told(NamedTuple):
    """What a header says: patient, sex, age and view, each "" or -1 where it does not."""

    patient: str
    sex: str
    age: int
    view: str


def is_dicom(data: bytes) -> bool:
    """True for bytes that begin as DICOM does, with its preamble or, as older ones, without."""
    if data[128:132] == _MARK:
        return True
    group, element, rest = data[:2], data[2:4], data[4:8]
    begins = group in (b"\2\0", b"\x08\0") and element[1:] == b"\0"
    return begins and (rest[:2].isupper() or rest[2:] == b"\0\0")


def dicom_files(folder: Path, names: Iterable[str]) -> set[str]:
    """Files that begin as DICOM does, whatever they are called; the index of a disc is none."""
    return {
        name
        for name in names
        if PurePosixPath(name).name.upper() != "DICOMDIR"
        and not is_text(name)
        and (_is_dicom_name(name) or not is_picture(name))
        and _begins_as_dicom(folder / name)
    }


def _is_dicom_name(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() in (".dcm", ".dicom")


def _begins_as_dicom(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return is_dicom(file.read(132))
    except OSError:
        return False


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


def size(data: bytes) -> tuple[int, int]:
    """Width and height in pixels, as the header of a file says; raises Unreadable."""
    found = _read(data, pixels=False)
    return int(found.get("Columns", 0)), int(found.get("Rows", 0))


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
    except Unreadable:
        raise
    except Exception as error:  # of a dozen decoders
        raise Unreadable(f"its DICOM picture cannot be decoded: {last_line(error)}") from None
    header = Header(int(found.get("BitsStored", 8)), int(found.get("SamplesPerPixel", 1)))
    return pixels, header


def _read(data: bytes, *, pixels: bool) -> Any:
    import pydicom

    if pydicom.uid.DeflatedExplicitVRLittleEndian.encode() in data[:_HEAD]:
        raise Unreadable("a DICOM file of deflated data: unpack it first (dcmconv +te)")
    logging.getLogger("pydicom").propagate = False  # of values that are not as the standard says
    try:
        bare = data[128:132] != _MARK
        found = pydicom.dcmread(io.BytesIO(data), stop_before_pixels=not pixels, force=bare)
        if "TransferSyntaxUID" not in found.file_meta:
            implicit, _ = found.original_encoding
            uid = pydicom.uid.ImplicitVRLittleEndian if implicit else None
            found.file_meta.TransferSyntaxUID = uid or pydicom.uid.ExplicitVRLittleEndian
        return found
    except Exception as error:  # a broken file raises nearly anything
        raise Unreadable(f"its DICOM header cannot be read: {error}") from None


def _shown(found: Any) -> np.ndarray:
    from pydicom.pixels import apply_modality_lut

    values = found.pixel_array
    if int(found.get("SamplesPerPixel", 1)) > 1:
        bits = int(values.max()).bit_length()  # pydicom made RGB of them
        colours = values >> max(0, bits - 8)
        return luma(Image.fromarray(colours.astype(np.uint8)))
    with np.errstate(all="ignore"):  # what becomes too large is refused
        rescaled = apply_modality_lut(values, found)
        refuse_infinite(rescaled)
        shown = _windowed(rescaled, found).astype(np.float64)
        refuse_infinite(shown)
    beside = _padding(found.pixel_array, found)
    low, high = shown[~beside].min(), shown[~beside].max()
    grey = (shown - low) * (255 / (high - low or 1))
    if found.PhotometricInterpretation == "MONOCHROME1":
        grey = 255 - grey
    return np.rint(np.where(beside, 0, grey).clip(0, 255)).astype(np.uint8)


def _windowed(values: np.ndarray, found: Any) -> np.ndarray:
    """Values in the window of the file, where it has one through which anything is seen."""
    from pydicom.pixels import apply_voi_lut

    if "WindowCenter" not in found and "VOILUTSequence" not in found:
        return values
    try:
        shown = apply_voi_lut(values, found)
    except ValueError:  # e.g. a width of zero
        return values
    return shown if np.ptp(shown) else values


def _padding(stored: np.ndarray, found: Any) -> np.ndarray:
    """(H, W) where there is no picture but what fills the frame, which is to be black."""
    if "PixelPaddingValue" not in found:
        return np.zeros(stored.shape, bool)
    ends = [found.PixelPaddingValue, found.get("PixelPaddingRangeLimit", found.PixelPaddingValue)]
    beside = (min(ends) <= stored) & (stored <= max(ends))
    return beside & ~beside.all()
