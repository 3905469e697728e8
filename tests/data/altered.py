"""Copies of a radiograph as they turn up: compressed, scaled, cropped, brightened."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageOps

Picture = Image.Image


def jpeg(picture: Picture, quality: int = 50) -> Picture:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality)
    return Image.open(file).convert("L")


def scaled(picture: Picture, factor: float) -> Picture:
    return picture.resize([round(factor * side) for side in picture.size], Image.Resampling.BOX)


def cropped(picture: Picture, left: float, top: float, right: float, bottom: float) -> Picture:
    w, h = picture.size
    return picture.crop(
        (round(left * w), round(top * h), w - round(right * w), h - round(bottom * h))
    )


def brighter(picture: Picture, gain: float = 1.0, offset: float = 0.0) -> Picture:
    pixels = np.asarray(picture, float) * gain + 255 * offset
    return Image.fromarray(np.clip(pixels, 0, 255).round().astype(np.uint8))


def negative(picture: Picture) -> Picture:
    return ImageOps.invert(picture)


def mirrored(picture: Picture) -> Picture:
    return picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)


def padded(picture: Picture, across: float, down: float, grey: int = 0) -> Picture:
    """With a border: shares of its width left and right, of its height above and below."""
    w, h = picture.size
    return ImageOps.expand(picture, (round(across * w), round(down * h)), grey)


def letterboxed(picture: Picture, grey: int = 0) -> Picture:
    """Squeezed to 78 % of its width, and padded to a square again."""
    return padded(picture, 0.14, 0, grey)


def _crop_at_random(picture: Picture) -> Picture:
    cuts = np.random.default_rng(sum(picture.tobytes())).uniform(0, 0.05, 4)
    return cropped(picture, *cuts)


TURNED: dict[str, Callable[[Picture], Picture]] = {
    "mirrored": mirrored,
    "upside down": lambda p: p.transpose(Image.Transpose.FLIP_TOP_BOTTOM),
    "turned by 90": lambda p: p.transpose(Image.Transpose.ROTATE_90),
    "turned by 180": lambda p: p.transpose(Image.Transpose.ROTATE_180),
    "turned by 270": lambda p: p.transpose(Image.Transpose.ROTATE_270),
    "mirrored, jpeg 50": lambda p: jpeg(mirrored(p)),
    "mirrored, scaled to 60 %": lambda p: scaled(mirrored(p), 0.6),
}
"""Copies made to have more of them."""

NEGATIVE: dict[str, Callable[[Picture], Picture]] = {
    "negative": negative,
    "negative, jpeg 50": lambda p: jpeg(negative(p)),
    "negative, mirrored": lambda p: negative(mirrored(p)),
    "negative, turned by 90": lambda p: negative(p.transpose(Image.Transpose.ROTATE_90)),
    "negative, letterboxed": lambda p: letterboxed(negative(p)),
}
"""Copies with black and white exchanged, as a MONOCHROME1 file that is read as MONOCHROME2."""

PADDED: dict[str, Callable[[Picture], Picture]] = {
    "letterboxed": letterboxed,
    "letterboxed in white": lambda p: letterboxed(p, 255),
    "letterboxed, jpeg 50": lambda p: jpeg(letterboxed(p)),
    "letterboxed, mirrored": lambda p: letterboxed(mirrored(p)),
    "padded below and above": lambda p: padded(p, 0, 0.2, 100),
    "padded by 10 % all round": lambda p: padded(p, 0.1, 0.1),
    "padded by 30 % all round": lambda p: padded(p, 0.3, 0.3),
}
"""Copies with a constant border."""

ALTERED: dict[str, Callable[[Picture], Picture]] = {
    "exact": lambda p: p,
    "jpeg 50": jpeg,
    "jpeg 80": lambda p: jpeg(p, 80),
    "scaled to 25 %": lambda p: scaled(p, 0.25),
    "scaled to 60 %": lambda p: scaled(p, 0.6),
    "cropped 5 % all round": lambda p: cropped(p, 0.05, 0.05, 0.05, 0.05),
    "cropped 5 % left and top": lambda p: cropped(p, 0.05, 0.05, 0, 0),
    "cropped at random": _crop_at_random,
    "gain 0.8": lambda p: brighter(p, gain=0.8),
    "gain 1.2": lambda p: brighter(p, gain=1.2),
    "20 % darker": lambda p: brighter(p, offset=-0.2),
    "20 % brighter": lambda p: brighter(p, offset=0.2),
}
