"""200 damaged images of each kind go through what the builders do with them: kept or named."""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from tests.encoded import encoded
from tfds_builders.errors import Unreadable
from tfds_builders.images import Checked, Gate, silenced
from tfds_builders.ingest_report import Item
from tfds_builders.lung_masks import receiving
from tfds_builders.padchest.padchest_dataset_builder import _checked as check_padchest

GREY = np.add.outer(np.arange(64), 2 * np.arange(64)).astype(np.uint8)
LUNGS = np.zeros((64, 64), np.uint8)
LUNGS[10:50, 8:28] = LUNGS[10:50, 36:56] = 255


MASK = encoded(LUNGS, "PNG")
DEEP = encoded(GREY.astype(np.uint16) * 16, "PNG")
RAW_FILM = (GREY.astype(np.uint16) * 4).astype(">u2").tobytes()
INVERTED = Item("1.png", SimpleNamespace(inverted=True))


def mutated(data: bytes, rng: np.random.Generator) -> bytes:
    """Bytes changed, put in or taken out at one to three places, or the end cut off."""
    for _ in range(rng.integers(1, 4)):
        at, width = int(rng.integers(len(data) + 1)), int(rng.integers(1, 9))
        noise = rng.bytes(width)
        ends = (data[at + width :], data[at:], b"" if rng.random() < 0.2 else data[at + 1 :])
        data = data[:at] + noise * int(rng.integers(2)) + ends[rng.integers(3)]
    return data


def inverted(data: bytes) -> Checked:
    return check_padchest(Gate(np.uint16), INVERTED, data)


def film(dtype: type, name: str, data: bytes) -> Checked:
    return receiving.check(Gate(dtype), Gate(), False, Item(name), (data, [MASK]))


def mask(data: bytes) -> Checked:
    return receiving.check(Gate(), Gate(), True, Item("a.png"), (encoded(GREY, "PNG"), [data]))


KINDS = {
    "MONOCHROME1, 16 bits": (DEEP, inverted, np.uint16),
    "MONOCHROME1, 8 bits": (encoded(GREY, "PNG"), inverted, np.uint16),
    "film, PNG": (encoded(GREY, "PNG"), partial(film, np.uint8, "a.png"), np.uint8),
    "film, JPEG": (encoded(GREY, "JPEG"), partial(film, np.uint8, "a.jpg"), np.uint8),
    "raw film": (RAW_FILM, partial(film, np.uint16, "a.IMG"), np.uint16),
    "mask": (MASK, mask, np.uint8),
    "mask, GIF": (encoded(LUNGS, "GIF"), mask, np.uint8),
}


@pytest.mark.parametrize("kind", KINDS)
def test_200_damaged_images_are_kept_or_named(kind):
    good, check, dtype = KINDS[kind]
    rng = np.random.default_rng(11)
    refused = 0
    with silenced():
        assert check(good).data is not None
        for _ in range(200):
            checked = check(mutated(good, rng))
            if checked.data is None:
                assert checked.reason
                refused += 1
                continue
            decoded = tf.io.decode_image(checked.data, channels=1, dtype=dtype)
            assert decoded.shape[-1] == 1
    assert refused > 20


def test_a_file_that_cannot_be_read_is_named_by_every_check():
    gone = Unreadable("gone")
    assert check_padchest(Gate(np.uint16), INVERTED, gone) == Checked(None, "gone")
    assert receiving.check(Gate(), Gate(), True, Item("a.png"), gone).reason == "gone"
