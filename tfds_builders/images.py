"""Gate through which every published image goes into a data set.

An image file ends in exactly one of three ways, and all but the first leave a trace:
    kept         the published bytes, untouched: grey or RGB JPEG, grey PNG
    converted    a lossless grey PNG of the same pixels, with the reason: what TensorFlow does not
                 decode, or not to the same grey (colour PNG, alpha, palette, CMYK, 16 bits in an
                 8-bit set, TIFF, BMP, ...)
    quarantined  nothing, with the reason: truncated, empty, no image, too large to be one

Grey is ITU-R 601 luma everywhere, which is the Y channel that a JPEG stores: so an image is the
same grey whether its bytes pass through or not. Alpha is dropped, as X-rays carry none.

More than 8 bits a channel are decoded as they are, where that can be done: grey of any format, and
colours in a PNG. Of colours elsewhere Pillow keeps the upper 8 bits. That is what scaling makes of
them too, if their range is used; if not, they are quarantined.
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

_BITS = {"1": 1, "I;16": 16, "I;16B": 16, "I;16L": 16, "I": 32, "F": 32}
_DEEP = tuple(mode for mode, bits in _BITS.items() if bits > 8)
_LUMA = np.array([19595, 38470, 7471], np.uint32)
"""Of red, green and blue in 65536 parts of grey, as Pillow has them."""

# Where files say how many bits a channel has: Pillow makes 8 of colours of more.
_PNG_DEPTH = 24
_TIFF_DEPTHS = 258
_JPEG2000_SIZE, _JPEG2000_CHANNELS, _JPEG2000_DEPTHS = b"\xff\x4f\xff\x51", 40, 42


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
    """Pillow and pydicom warn about harmless metadata; a warning must not decide about an image.

    Filters belong to the process, not to a thread: whoever starts threads enters this, not they.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="PIL|pydicom")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield


def refuse_infinite(values: np.ndarray) -> None:
    """Raise an Unreadable for grey values that cannot be shown from black to white."""
    with np.errstate(over="ignore", invalid="ignore"):
        span = values.max() - values.min()
    if not np.isfinite(span):
        raise Unreadable("grey values that are too large, infinite or no number")


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
        header = header_of(image, data)
        grey, how = _grey(image, data, dtype)
        buffer = io.BytesIO()
        Image.fromarray(grey).save(buffer, "PNG")
        return Checked(buffer.getvalue(), f"{image.format} {image.mode} {how}", header)


def header_of(image: Image.Image, data: bytes) -> Header:
    """How the file of an opened image, of which no pixel is decoded yet, stores one."""
    channels = len(image.getbands())
    if image.format == "PNG":
        return Header(data[_PNG_DEPTH], channels)
    return Header(max(_BITS.get(image.mode, 8), _colour_bits(image, data)), channels)


def _colour_bits(image: Image.Image, data: bytes) -> int:
    """Bits a channel by what the file says; 0 for formats that have no colours of more than 8."""
    if image.format == "TIFF":
        return max(image.tag_v2.get(_TIFF_DEPTHS, (1,)))  # type: ignore[attr-defined]
    if image.format == "PPM":
        match image.tile[0].args:  # type: ignore[attr-defined]
            case ("RGB", int(white)):
                return white.bit_length()
    if image.format == "JPEG2000":
        at = data.index(_JPEG2000_SIZE)
        channels = int.from_bytes(data[at + _JPEG2000_CHANNELS : at + _JPEG2000_DEPTHS])
        first = at + _JPEG2000_DEPTHS
        return max(1 + (depth & 0x7F) for depth in data[first : first + 3 * channels : 3])
    return 0


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


def _grey(image: Image.Image, data: bytes, dtype: np.dtype) -> tuple[np.ndarray, str]:
    values = grey_values(image, data)
    if values.dtype == np.uint8:
        return values, "to 8-bit grey PNG"
    if values.dtype.kind == "f":
        raise ValueError("floating point: nobody knows which value is white")
    low, high = int(values.min()), int(values.max())
    if low < 0 or high > 65535:
        raise ValueError(f"grey values {low} to {high} do not fit 16 bits")
    if dtype == np.uint16:
        return values.astype(np.uint16), "to 16-bit grey PNG"
    # Detectors store 10 to 14 bits in 16: dividing by 65535 would leave such an image black.
    bits = max(8, high.bit_length())
    scaled = np.rint(values * (255 / (2**bits - 1))).astype(np.uint8)
    return scaled, f"to 8-bit grey PNG, scaled from {bits} bits"


def grey_values(image: Image.Image, data: bytes) -> np.ndarray:
    """Grey values (H, W) of an opened image, with all the bits of its file; alpha is dropped.

    Returns:
        uint8 luma of 8 bits or less, otherwise numbers as the file has them.

    Raises:
        ValueError: the bits that matter cannot be had.
    """
    bits = header_of(image, data).bits
    if image.mode in _DEEP:
        return np.asarray(image)
    if image.format == "PNG" and bits > 8:
        return _deep_luma(data)
    grey = luma(image)
    if bits > 8 and grey.max() < 128:
        raise ValueError(
            f"colours of {bits} bits in a {image.format} that use less than half of their range, "
            "of which only the upper 8 bits can be read; save it as grey, or as a PNG"
        )
    return grey


def _deep_luma(data: bytes) -> np.ndarray:
    """Grey values (H, W) uint16 of a PNG of 16 bits a channel."""
    import tensorflow as tf

    try:
        colours = tf.io.decode_png(data, dtype=tf.uint16).numpy()
    except tf.errors.InvalidArgumentError:
        raise ValueError("a damaged PNG of 16 bits a channel") from None
    if colours.shape[-1] < 3:
        return colours[..., 0]
    return ((colours[..., :3] @ _LUMA + 2**15) >> 16).astype(np.uint16)


def luma(image: Image.Image) -> np.ndarray:
    """Grey values (H, W) uint8 of an image of 8 bits a channel; alpha is dropped."""
    if image.mode in ("LA", "La"):
        return np.asarray(image.getchannel(0))
    # Pillow has no direct way from some modes to grey; all of them have one to RGB.
    return np.asarray(image if image.mode == "L" else image.convert("RGB").convert("L"))
