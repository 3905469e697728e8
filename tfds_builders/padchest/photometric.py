"""Turning images stored as MONOCHROME1, where low values are bright, the usual way round."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from tfds_builders.errors import Unreadable

INVERTED = "MONOCHROME1, inverted"


def inverted(data: bytes) -> bytes:
    """The same image with its own range turned round (v -> max + min - v), as a lossless PNG.

    The own range is kept, whatever number of bits was stored: no need to trust ``BitsStored``.

    Args:
        data: an image that was checked before, 8 or 16 bits a value.

    Returns:
        Bytes of a grey PNG, 16-bit where the image was.

    Raises:
        Unreadable: Pillow cannot decode what TensorFlow can.
    """
    try:
        with Image.open(io.BytesIO(data)) as image:
            deep = image.mode.startswith("I")
            values = np.asarray(image if deep else image.convert("L")).astype(np.int32)
    except Exception as error:  # a broken file raises nearly anything in a decoder
        raise Unreadable(f"cannot be inverted: {error or type(error).__name__}") from error
    turned = int(values.max()) + int(values.min()) - values
    buffer = io.BytesIO()
    Image.fromarray(turned.astype(np.uint16 if deep else np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()
