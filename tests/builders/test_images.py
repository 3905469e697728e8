"""The gate for image files: kept, converted or quarantined, with a reason, never a crash."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.encoded import encoded
from tfds_builders import images, ingest_report
from tfds_builders.errors import DatasetError

GREY = np.add.outer(np.arange(40), 2 * np.arange(50)).astype(np.uint8)
COLOUR = np.stack([GREY, GREY[::-1], GREY // 2], axis=-1)


def decode(data: bytes, dtype=tf.uint8) -> np.ndarray:
    return tf.io.decode_image(data, channels=1, dtype=dtype).numpy()[..., 0]


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds next to nothing."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = (
        chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    )
    return b"\x89PNG\r\n\x1a\n" + body


KEPT = {
    "grey JPEG": encoded(GREY, "JPEG"),
    "RGB JPEG": encoded(COLOUR, "JPEG"),
    "RGB JPEG, not as luma": encoded(COLOUR, "JPEG", keep_rgb=True),
    "progressive JPEG": encoded(COLOUR, "JPEG", progressive=True),
    "grey PNG": encoded(GREY, "PNG"),
}
LUMA = np.asarray(Image.fromarray(COLOUR).convert("L"))
RGBA = Image.fromarray(COLOUR).convert("RGBA")
RGBA.putalpha(Image.fromarray(GREY))
CONVERTED = {
    "RGB PNG": (encoded(COLOUR, "PNG"), LUMA),
    "RGBA PNG": (encoded(RGBA, "PNG"), LUMA),
    "LA PNG": (encoded(Image.fromarray(GREY).convert("LA"), "PNG"), GREY),
    "palette PNG": (encoded(Image.fromarray(GREY).convert("P"), "PNG"), GREY),
    "1-bit PNG": (encoded(Image.fromarray(GREY > 60), "PNG"), 255 * (GREY > 60)),
    "16-bit PNG": (encoded(GREY.astype(np.uint16) * 257, "PNG"), GREY),
    "12-bit PNG": (encoded(np.rint(GREY * (4095 / 255)).astype(np.uint16), "PNG"), GREY),
    "CMYK JPEG": (encoded(Image.fromarray(COLOUR).convert("CMYK"), "JPEG", quality=100), LUMA),
    "BMP": (encoded(COLOUR, "BMP"), LUMA),
    "TIFF": (encoded(GREY, "TIFF"), GREY),
    "16-bit TIFF": (encoded(GREY.astype(np.uint16) * 257, "TIFF"), GREY),
    "GIF": (encoded(GREY, "GIF"), GREY),
    "WebP": (encoded(COLOUR, "WEBP", lossless=True), LUMA),
}
HEADERS = {
    "grey JPEG": (8, 1), "RGB JPEG": (8, 3), "grey PNG": (8, 1), "RGB PNG": (8, 3),
    "RGBA PNG": (8, 4), "LA PNG": (8, 2), "palette PNG": (8, 1), "1-bit PNG": (1, 1),
    "16-bit PNG": (16, 1), "12-bit PNG": (16, 1), "CMYK JPEG": (8, 4), "BMP": (8, 3),
    "TIFF": (8, 1), "16-bit TIFF": (16, 1), "GIF": (8, 1), "WebP": (8, 3),
}  # fmt: skip
"""How these files store a pixel: bits a channel, channels."""
REFUSED = {
    "no bytes": (b"", "empty"),
    "text": (b"Lorem ipsum " * 100, "not an image"),
    "half a JPEG": (KEPT["grey JPEG"][:400], "cannot be decoded"),
    "half a PNG": (KEPT["grey PNG"][: len(KEPT["grey PNG"]) // 2], "cannot be decoded"),
    "three bytes of JPEG": (KEPT["grey JPEG"][:3], "not an image"),
    "bomb below Pillow's own limit": (png_header(8001, 8000), "too large"),
    "bomb": (png_header(60_000, 60_000), "too large"),
    "PostScript": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not an image"),
}


@pytest.mark.parametrize("name", KEPT)
def test_good_files_keep_their_bytes(name):
    assert images.check(KEPT[name]) == images.Checked(KEPT[name])


@pytest.mark.parametrize("name", CONVERTED)
def test_other_files_become_the_same_grey_as_lossless_png(name):
    data, grey = CONVERTED[name]
    checked = images.check(data)
    assert Image.open(io.BytesIO(checked.data)).format == "PNG"
    assert checked.reason
    difference = np.abs(decode(checked.data).astype(int) - grey)
    assert difference.max() <= (3 if "JPEG" in name else 0)
    assert images.check(checked.data) == images.Checked(checked.data)


@pytest.mark.parametrize("name", HEADERS)
def test_how_a_file_stores_a_pixel_is_read_from_its_header(name):
    data = KEPT[name] if name in KEPT else CONVERTED[name][0]
    assert images.read_header(data) == HEADERS[name]
    assert images.check(data).header == (None if name in KEPT else HEADERS[name])


@pytest.mark.parametrize("name", ["no bytes", "text", "three bytes of JPEG", "bomb"])
def test_what_is_no_image_has_no_header(name):
    assert images.read_header(REFUSED[name][0]) is None


def test_grey_is_the_same_whether_bytes_pass_through_or_not():
    kept = decode(images.check(encoded(COLOUR, "JPEG", quality=100, subsampling=0)).data)
    converted = decode(images.check(encoded(COLOUR, "BMP")).data)
    assert np.abs(kept.astype(int) - converted).max() <= 3


@pytest.mark.parametrize("name", REFUSED)
def test_broken_files_are_quarantined_with_a_reason(name):
    data, reason = REFUSED[name]
    checked = images.check(data)
    assert checked.data is None
    assert reason in checked.reason


def test_sixteen_bit_sets_keep_their_images_and_take_others():
    deep = GREY.astype(np.uint16) * 200
    kept = images.check(encoded(deep, "PNG"), np.uint16)
    assert not kept.reason
    np.testing.assert_array_equal(decode(kept.data, tf.uint16), deep)
    tiff = images.check(encoded(deep, "TIFF"), np.uint16)
    assert "16-bit" in tiff.reason
    np.testing.assert_array_equal(decode(tiff.data, tf.uint16), deep)
    assert not images.check(KEPT["grey PNG"], np.uint16).reason


DEEP = np.rint(np.linspace(0, 4095, 40 * 50)).astype(np.uint16).reshape(40, 50)
"""12 bits of grey."""
OPAQUE = np.full_like(DEEP, 65535)
DEEP_PNG = {
    "RGB": np.stack([DEEP] * 3, axis=-1),
    "RGBA": np.stack([DEEP] * 3 + [OPAQUE], axis=-1),
    "LA": np.stack([DEEP, OPAQUE], axis=-1),
}


def deep_png(values: np.ndarray) -> bytes:
    return tf.io.encode_png(values).numpy()


@pytest.mark.parametrize("kind", DEEP_PNG)
def test_all_bits_of_a_deep_colour_png_count(kind):
    """Pillow has the upper 8 of 16 bits, which leaves 12-bit data nearly black."""
    data = deep_png(DEEP_PNG[kind])
    assert images.read_header(data).bits == 16
    checked = images.check(data)
    assert "scaled from 12 bits" in checked.reason
    assert checked.header.bits == 16
    np.testing.assert_array_equal(decode(checked.data), np.rint(DEEP * (255 / 4095)))
    kept = images.check(data, np.uint16)
    assert "to 16-bit grey PNG" in kept.reason
    np.testing.assert_array_equal(decode(kept.data, tf.uint16), DEEP)


def test_the_grey_of_deep_colours_is_that_of_the_same_ones_in_8_bits():
    deep = images.check(deep_png(COLOUR.astype(np.uint16) * 257), np.uint16)
    assert np.abs(decode(deep.data, tf.uint16) / 257 - LUMA).max() < 0.51


def test_a_damaged_deep_colour_png_says_so():
    data = deep_png(DEEP_PNG["RGB"])
    checked = images.check(data[: len(data) // 2])
    assert checked.data is None
    assert checked.reason == "cannot be decoded: a damaged PNG of 16 bits a channel"


def tiff_of_16_bits(values: np.ndarray) -> bytes:
    """Which Pillow does not write: one of 8 bits and twice the width, whose header is changed."""
    height, width, _ = values.shape
    data = encoded(values.astype("<u2").view(np.uint8).reshape(height, 2 * width, 3), "TIFF")
    for form, old, new in (
        ("<HHII", (256, 4, 1, 2 * width), (256, 4, 1, width)),
        ("<3H", (8, 8, 8), (16, 16, 16)),
    ):
        assert struct.pack(form, *old) in data
        data = data.replace(struct.pack(form, *old), struct.pack(form, *new), 1)
    return data


def ppm_of_16_bits(values: np.ndarray) -> bytes:
    height, width, _ = values.shape
    return b"P6\n%d %d\n65535\n" % (width, height) + values.astype(">u2").tobytes()


def jpeg2000_of_12_bits(values: np.ndarray) -> bytes:
    """Of 8 bits, said to be more: what is below the middle stays there, and above it above."""
    data = bytearray(encoded((values >> 8).astype(np.uint8), "JPEG2000"))
    at = data.index(b"\xff\x4f\xff\x51") + 42
    data[at : at + 9 : 3] = b"\x0b" * 3
    return bytes(data)


@pytest.mark.parametrize(
    ("made", "bits"), [(tiff_of_16_bits, 16), (ppm_of_16_bits, 16), (jpeg2000_of_12_bits, 12)]
)
def test_deep_colours_elsewhere_are_refused_where_their_bits_would_be_lost(made, bits):
    dark = made(DEEP_PNG["RGB"])
    assert images.read_header(dark) == (bits, 3)
    refused = images.check(dark)
    assert refused.data is None
    assert f"colours of {bits} bits in a" in refused.reason
    assert "save it as grey, or as a PNG" in refused.reason
    full = images.check(made(DEEP_PNG["RGB"] << 4))
    assert full.header == (bits, 3)
    if made is not jpeg2000_of_12_bits:  # its values are none of those that it was made of
        assert np.abs(decode(full.data) - DEEP * (255 / 4095)).max() <= 1


def test_colours_of_12_bits_that_say_so_keep_their_greys():
    values = DEEP_PNG["RGB"]
    data = ppm_of_16_bits(values).replace(b"65535", b"4095", 1)
    assert np.abs(decode(images.check(data).data) - DEEP * (255 / 4095)).max() <= 1


@pytest.mark.parametrize("kind", ["TIFF", "PPM", "JPEG2000"])
def test_deep_grey_keeps_its_bits_in_every_container(kind):
    checked = images.check(encoded(DEEP, kind))
    assert "scaled from 12 bits" in checked.reason
    np.testing.assert_array_equal(decode(checked.data), np.rint(DEEP * (255 / 4095)))


def test_floating_point_is_left_to_those_who_know_its_range():
    refused = images.check(encoded(DEEP.astype(np.float32), "TIFF"))
    assert refused.data is None
    assert "nobody knows which value is white" in refused.reason


SOURCES = [KEPT["grey JPEG"], KEPT["RGB JPEG"], KEPT["grey PNG"], CONVERTED["16-bit PNG"][0]]
SOURCES += [CONVERTED[name][0] for name in ("TIFF", "GIF", "palette PNG", "BMP")]
SOURCES += [
    deep_png(DEEP_PNG["RGBA"]),
    encoded(COLOUR, "JPEG2000"),
    ppm_of_16_bits(DEEP_PNG["RGB"]),
]
EDIT = st.tuples(st.integers(0, 2**16), st.integers(0, 8), st.binary(max_size=8))


@given(st.sampled_from(SOURCES), st.lists(EDIT, min_size=1, max_size=4))
@settings(deadline=None, max_examples=200, derandomize=True)
def test_mutated_files_never_crash_and_what_is_let_in_decodes(data, edits):
    for place, cut, put in edits:
        at = place % (len(data) + 1)
        data = data[:at] + put + data[at + cut :]
    header = images.read_header(data)
    assert header is None or min(header) > 0
    for dtype in (np.uint8, np.uint16):
        checked = images.check(data, dtype)
        if checked.data is None:
            assert checked.reason
        else:
            decoded = tf.io.decode_image(checked.data, channels=1, dtype=dtype)
            assert decoded.dtype == dtype
            assert decoded.shape[-1] == 1


def test_the_ingest_report_tells_of_every_file():
    taken = ingest_report.IngestReport()
    good, colour = KEPT["grey JPEG"], CONVERTED["RGB PNG"][0]
    for name, data in {"good.jpeg": good, "colour.png": colour, "empty.jpeg": b""}.items():
        taken.take(ingest_report.Item(name), images.check(data))
    taken.refuse("n\udcffotes", "no image")
    assert taken.converted == [
        {"file": "colour.png", "reason": "PNG RGB to 8-bit grey PNG", "bits": 8, "channels": 3}
    ]
    assert taken.quarantined == [
        {"file": "empty.jpeg", "reason": "empty file"},
        {"file": r"n\udcffotes", "reason": "no image"},
    ]
    taken.close("train", 2)
    with pytest.raises(DatasetError, match=r"'train': 2 files were refused.*no image"):
        taken.close("train", 0)
