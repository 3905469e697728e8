"""Gate through which every published image goes into a data set.

An image file ends in exactly one of three ways, and all but the first leave a trace:
    kept         the published bytes, untouched: grey or RGB JPEG, grey PNG
    converted    a lossless grey PNG of the same pixels, with the reason: what TensorFlow does not
                 decode, or not to the same grey (colour PNG, alpha, palette, CMYK, 16 bits in an
                 8-bit set, TIFF, BMP, ...)
    quarantined  nothing, with the reason: truncated, empty, no image, too large to be one

Grey is ITU-R 601 luma everywhere, which is the Y channel that a JPEG stores: so an image is the
same grey whether its bytes pass through or not. Alpha is dropped, as X-rays carry none.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from PIL import Image

from tfds_builders import journal
from tfds_builders.errors import Unreadable

MAX_PIXELS = 64_000_000
"""Largest image decoded: three times the largest radiograph of the known sets."""

MAX_BYTES = 256 * 2**20
"""Largest file read."""

FORMATS = ("JPEG", "PNG", "BMP", "GIF", "TIFF", "JPEG2000", "WEBP", "PPM")
"""Anything else Pillow can open is a document or needs outside programs."""

_SIXTEEN_BIT = ("I;16", "I;16B", "I;16L", "I")
_BITS = {"1": 1, "I;16": 16, "I;16B": 16, "I;16L": 16, "I": 32, "F": 32}
_BIT_DEPTH = 24
"""Where a PNG file has it: Pillow makes 8 bits of colours of 16."""


class Header(NamedTuple):
    """How a file stores a pixel: bits a channel, and channels (1 for a palette)."""

    bits: int
    channels: int


@dataclass(frozen=True)
class Checked:
    """Outcome for one file.

    Attributes:
        data: bytes that enter the set, JPEG or PNG; None where the file is quarantined.
        reason: why the file was converted or quarantined; empty where it was kept as it is.
        header: of the file, where it was converted.
    """

    data: bytes | None
    reason: str = ""
    header: Header | None = None


def read_header(data: bytes) -> Header | None:
    """How an image file stores a pixel; None where that cannot be told. Decodes no pixel."""
    try:
        with silenced(), Image.open(io.BytesIO(data), formats=FORMATS) as image:
            return header_of(image, data)
    except Exception:  # a broken file raises nearly anything
        return None


def check(data: bytes, dtype: type = np.uint8) -> Checked:
    """Decide about one image file by decoding all of it.

    What is kept is decoded by TensorFlow, as it will be when the set is read: measured on mutated
    files, it refuses all that Pillow refuses, and a few more. Pillow decodes what is converted.

    Args:
        data: content of the file, whatever it is.
        dtype: ``np.uint8``, or ``np.uint16`` where the set has 16-bit images, which are then
            kept as they are.
    """
    with silenced():
        return _check(data, np.dtype(dtype))


class Gate:
    """:func:`check` for many files in threads, inside :func:`silenced`.

    What the journal around its maker knows to be sound is not decoded again. A copy sent to another
    process knows of no journal.

    Args:
        dtype: as for :func:`check`.
    """

    def __init__(self, dtype: type = np.uint8):
        self.dtype = np.dtype(dtype)
        self._past = journal.current()

    def __reduce__(self) -> tuple:
        return Gate, (self.dtype,)

    def __call__(self, item: object, content: bytes | Unreadable) -> Checked:
        """:meth:`check`, whatever item the content is of: a step of making examples."""
        return self.check(content)

    def check(self, content: bytes | Unreadable) -> Checked:
        """The outcome for the content of a file, or for why it cannot be read."""
        if isinstance(content, Unreadable):
            return Checked(None, str(content))
        if self._past is None:
            return _check(content, self.dtype)
        key = self._past.key(content, self.dtype.name)
        if key in self._past.known:
            return Checked(content)
        checked = _check(content, self.dtype)
        if checked.data is content:
            self._past.sound(key)
        return checked


@contextmanager
def silenced() -> Iterator[None]:
    """Pillow warns about harmless metadata; a warning must not decide about an image.

    Filters belong to the process, not to a thread: whoever starts threads enters this, not they.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="PIL")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield


def _check(data: bytes, dtype: np.dtype) -> Checked:
    if not data:
        return Checked(None, "empty file")
    try:
        return _check_decoded(data, dtype)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        return Checked(None, f"too large: more than {MAX_PIXELS} pixels")
    except Image.UnidentifiedImageError:
        return Checked(None, "not an image in a known format")
    except Exception as error:  # a broken file raises nearly anything in a decoder
        return Checked(None, f"cannot be decoded: {error or type(error).__name__}")


def _check_decoded(data: bytes, dtype: np.dtype) -> Checked:
    with Image.open(io.BytesIO(data), formats=FORMATS) as image:
        width, height = image.size
        if width * height > MAX_PIXELS:
            return Checked(None, f"too large: {width} x {height} pixels")
        if _may_stay(image, dtype) and _decodes(data, dtype):
            return Checked(data)
        grey, how = _grey(image, dtype)
        buffer = io.BytesIO()
        Image.fromarray(grey).save(buffer, "PNG")
        reason = f"{image.format} {image.mode} {how}"
        return Checked(buffer.getvalue(), reason, header_of(image, data))


def header_of(image: Image.Image, data: bytes) -> Header:
    """How the file of an opened image stores a pixel."""
    bits = data[_BIT_DEPTH] if image.format == "PNG" else _BITS.get(image.mode, 8)
    return Header(bits, len(image.getbands()))


def _may_stay(image: Image.Image, dtype: np.dtype) -> bool:
    """True for kinds of image whose one-channel decoding by TensorFlow is their luma."""
    if image.format in ("JPEG", "MPO"):
        return image.mode in ("L", "RGB")
    modes = ("L", "I;16") if dtype == np.uint16 else ("L",)
    return image.format == "PNG" and image.mode in modes


def _decodes(data: bytes, dtype: np.dtype) -> bool:
    import tensorflow as tf  # takes seconds, and naming or locating a set must not wait for it

    try:
        tf.io.decode_image(data, channels=1, dtype=dtype, expand_animations=False)
    except tf.errors.InvalidArgumentError:
        return False
    return True


def _grey(image: Image.Image, dtype: np.dtype) -> tuple[np.ndarray, str]:
    if image.mode not in _SIXTEEN_BIT:
        return luma(image), "to 8-bit grey PNG"
    values = np.asarray(image).astype(np.int64)
    if values.min() < 0 or values.max() > 65535:
        raise ValueError(f"grey values {values.min()} to {values.max()} do not fit 16 bits")
    if dtype == np.uint16:
        return values.astype(np.uint16), "to 16-bit grey PNG"
    # Detectors store 10 to 14 bits in 16: dividing by 65535 would leave such an image black.
    bits = max(8, int(values.max()).bit_length())
    scaled = np.rint(values * (255 / (2**bits - 1))).astype(np.uint8)
    return scaled, f"to 8-bit grey PNG, scaled from {bits} bits"


def luma(image: Image.Image) -> np.ndarray:
    """Grey values (H, W) uint8 of an image of 8 bits; alpha is dropped."""
    if image.mode in ("LA", "La"):
        return np.asarray(image.getchannel(0))
    # Pillow has no direct way from some modes to grey; all of them have one to RGB.
    return np.asarray(image if image.mode == "L" else image.convert("RGB").convert("L"))
