"""Image files made on the spot."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image


def encoded(image: np.ndarray | Image.Image, form: str = "PNG", **said) -> bytes:
    """The bytes of a file; ``said`` is of Pillow's ``save``."""
    picture = image if isinstance(image, Image.Image) else Image.fromarray(image)
    file = io.BytesIO()
    picture.save(file, form, **said)
    return file.getvalue()
