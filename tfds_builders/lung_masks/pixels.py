"""Published masks and raw films -> what the set stores.

A stored mask is an 8-bit grey PNG of three values: 0 background, 127 ignore, 255 lung.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence

import numpy as np
from PIL import Image

from tfds_builders.errors import Unreadable
from tfds_builders.images import Checked, Gate

BACKGROUND, IGNORE, LUNG = 0, 127, 255
FILM_BITS = 12


def film(data: bytes) -> bytes:
    """16-bit grey PNG, bright where dense, of a raw film of JSRT: nothing is lost.

    The file is big-endian 12-bit samples in 16, square, without a header. The samples grow with
    the optical density of the film, so they are lowest where the patient is densest; they are
    turned around (4095 - sample) to be like every other radiograph.

    Raises:
        Unreadable: the size is no such film's, or a sample has more than 12 bits.
    """
    side = math.isqrt(len(data) // 2)
    if 2 * side * side != len(data) or side.bit_count() != 1 or side < 32:
        raise Unreadable(f"{len(data)} bytes are no square film of 16-bit samples")
    samples = np.frombuffer(data, ">u2").reshape(side, side)
    largest = 2**FILM_BITS - 1
    if samples.max() > largest:
        raise Unreadable(f"a sample of {samples.max()}: not 12 bits, big-endian")
    return _png((largest - samples).astype(np.uint16))


def lung_mask(
    parts: Sequence[bytes], shape: tuple[int, int], *, ignore: bool, gate: Gate
) -> tuple[bytes, str]:
    """One PNG of the united masks, and what had to be done to them ("" for nothing).

    Args:
        parts: image files, e.g. of the left and of the right lung.
        shape: height and width of the radiograph. Masks a whole number of times smaller are
            enlarged, each pixel to a block.
        ignore: whether 127 means "ignore"; else grey values are cut at 128.
        gate: checks the files, as 8-bit images.

    Raises:
        Unreadable: a part is no image, has another shape or other values, or no lung at all.
    """
    done: list[str] = []
    united = np.zeros(shape, np.uint8)
    for part in parts:
        values = _enlarged(_values(gate.check(part), ignore, done), shape, done)
        united = np.maximum(united, values)
    if not (united == LUNG).any():
        raise Unreadable("the mask is empty: no lung in it")
    return _png(united), ", ".join(dict.fromkeys(done))


def _values(checked: Checked, ignore: bool, done: list[str]) -> np.ndarray:
    if checked.data is None:
        raise Unreadable(f"the mask is unusable: {checked.reason}")
    grey = np.asarray(Image.open(io.BytesIO(checked.data)).convert("L"))
    found = set(np.unique(grey).tolist())
    if found <= {0, 1}:
        return grey * np.uint8(LUNG)
    if found <= ({BACKGROUND, IGNORE, LUNG} if ignore else {BACKGROUND, LUNG}):
        return grey
    if ignore:
        odd = sorted(found - {BACKGROUND, IGNORE, LUNG})
        raise Unreadable(f"the mask has values besides 0, 127 and 255: {odd[:5]}")
    done.append(f"mask of {len(found)} grey values cut at 128")
    return np.where(grey >= 128, np.uint8(LUNG), np.uint8(BACKGROUND))


def _enlarged(mask: np.ndarray, shape: tuple[int, int], done: list[str]) -> np.ndarray:
    if mask.shape == shape:
        return mask
    times = shape[0] // mask.shape[0]
    if times < 2 or tuple(times * side for side in mask.shape) != shape:
        height, width = mask.shape
        raise Unreadable(f"the mask is {width} x {height}, the image {shape[1]} x {shape[0]}")
    done.append(f"mask enlarged {times} times")
    return mask.repeat(times, 0).repeat(times, 1)


def _png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()
