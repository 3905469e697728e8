"""Own images as they come: turned by a tag, floating point, 32 bits, white for zero, DICOM.

What any data set may hold is left to :mod:`tfds_builders.images`. Here, first:

    EXIF orientation    applied, as every viewer does
    floating point      0..1 is taken for black to white; larger ones as whole numbers are,
                        unless they are fractions that fill less than half of 8 bits: refused
    whole numbers       more than 8 bits are scaled by the bits that the largest value needs
    negative, NaN       refused: nobody knows where black is
    white for zero      inverted (TIFF WhiteIsZero of every depth, DICOM MONOCHROME1)
    several pictures    refused, as nobody knows which is meant (pages that are smaller are none)
    DICOM               windowed as the file says, then from its lowest to its highest value
"""

from __future__ import annotations

import io
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps

from tfds_builders import images
from tfds_builders.errors import Unreadable
from tfds_builders.image_folder import dicom
from tfds_builders.images import Checked, Header

_ORIENTATION, _PHOTOMETRIC, _WHITE_IS_ZERO = 0x0112, 262, 0
_NO_IMAGES = {
    b"version https://git-lfs": "a pointer of Git LFS, no image: run git lfs pull",
    b"<!doctype": "a web page, as a failed download leaves it",
    b"<html": "a web page, as a failed download leaves it",
}
_DEEP = ("I", "F")
_TURNED = "turned as its EXIF orientation says"
_HALF = 128
"""Fractions up to less than this may be of 0..1 or of any other range."""


class OwnGate(images.Gate):
    """The gate of own images: what is not as others keep it becomes a grey PNG first."""

    def __reduce__(self) -> tuple:
        return OwnGate, (self.dtype,)

    def check(self, content: bytes | Unreadable) -> Checked:
        """The outcome for the content of a file, or for why it cannot be read."""
        return (_rewritten(content) if isinstance(content, bytes) else None) or super().check(
            content
        )


class _Grey(NamedTuple):
    pixels: np.ndarray
    reason: str


def _rewritten(data: bytes) -> Checked | None:
    """An image that is not as others keep it, as PNG; None where nothing is to be done."""
    for begin, what in _NO_IMAGES.items():
        if data[:64].lstrip().lower().startswith(begin):
            return Checked(None, what)
    try:
        if dicom.is_dicom(data):
            pixels, header = dicom.grey(data)
            return _png(_Grey(pixels, "DICOM to 8-bit grey PNG"), header)
        with Image.open(io.BytesIO(data), formats=images.FORMATS) as image:
            turned = image.getexif().get(_ORIENTATION) in range(2, 9)
            white = image.format == "TIFF" and image.tag_v2.get(_PHOTOMETRIC) == _WHITE_IS_ZERO  # type: ignore[attr-defined]
            deep = image.mode in _DEEP or (white and image.mode.startswith("I"))
            _refuse_several(image)
            if not (turned or deep) or image.width * image.height > images.MAX_PIXELS:
                return None
            header = images.header_of(image, data)
            return _png(_grey(image, data, turned=turned, white=white), header)
    except Unreadable as error:
        return Checked(None, str(error))
    except Exception:  # no image, or a broken one: the other gate says why
        return None


def _refuse_several(image: Image.Image) -> None:
    number = getattr(image, "n_frames", 1)
    if number > 1 and image.format != "MPO":  # a JPEG with previews
        size = image.size
        image.seek(1)
        again = image.size
        image.seek(0)
        if again == size:
            raise Unreadable(f"a {image.format} file of {number} pictures; one is wanted")


def _grey(image: Image.Image, data: bytes, *, turned: bool, white: bool) -> _Grey:
    kind = f"{image.format} {image.mode}"
    pixels = _upright(images.grey_values(image, data), image)
    if pixels.dtype == np.uint8:
        return _Grey(pixels, f"{kind} {_TURNED}")
    how = [f"{kind} scaled to 8-bit grey PNG", *[_TURNED] * turned, *["white for zero"] * white]
    pixels = scaled(pixels)
    return _Grey(255 - pixels if white else pixels, ", ".join(how))


def _upright(values: np.ndarray, image: Image.Image) -> np.ndarray:
    """Grey values of a decoded image, turned where decoding has not done so, as it does of TIFF."""
    grey = Image.fromarray(values)
    grey.getexif()[_ORIENTATION] = image.getexif().get(_ORIENTATION, 1)
    return np.asarray(ImageOps.exif_transpose(grey))


def scaled(values: np.ndarray) -> np.ndarray:
    """Grey values of any type as uint8, by the rule at the head of the module.

    Raises:
        Unreadable: some are negative, infinite or no number.
    """
    if values.dtype.kind == "f":
        images.refuse_infinite(values)
    low, high = values.min(), values.max()
    if low < 0:
        raise Unreadable(f"grey values from {low} to {high}: nobody knows which of them is black")
    if values.dtype.kind == "f" and high <= 1:
        return np.rint(values * 255).astype(np.uint8)
    if values.dtype.kind == "f" and high < _HALF and (values % 1).any():
        raise Unreadable(f"grey values from {low:g} to {high:g}: nobody knows which is white")
    bits = max(8, int(np.ceil(high)).bit_length())
    return np.rint(values.astype(np.float64) * (255 / (2**bits - 1))).astype(np.uint8)


def _png(grey: _Grey, header: Header) -> Checked:
    buffer = io.BytesIO()
    Image.fromarray(grey.pixels).save(buffer, "PNG")
    return Checked(buffer.getvalue(), grey.reason, header)
