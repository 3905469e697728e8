"""Grey values of people's own images: what is turned, deep, inverted, or DICOM."""

from __future__ import annotations

import io
import logging
import struct
import zlib

import numpy as np
import pytest
import tensorflow as tf
from own_sets import picture
from PIL import Image

from tests.encoded import encoded
from tfds_builders.errors import Unreadable
from tfds_builders.image_folder import dicom
from tfds_builders.image_folder.pixels import OwnGate, scaled
from tfds_builders.images import silenced

TILT = np.linspace(0, 1, 48 * 32).reshape(32, 48)


def checked(data: bytes):
    with silenced():
        return OwnGate().check(data)


def shown(data: bytes) -> np.ndarray:
    found = checked(data)
    assert found.data is not None, found.reason
    return np.asarray(Image.open(io.BytesIO(found.data)).convert("L"))


def tiff(values: np.ndarray, *, white_for_zero: bool = False) -> bytes:
    tags = {262: 0} if white_for_zero else {}
    return encoded(Image.fromarray(values), "TIFF", tiffinfo=tags)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_an_orientation_is_applied(kind):
    image = Image.fromarray((TILT * 255).astype(np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = encoded(image, kind, exif=exif, quality=95)
    assert shown(turned).shape == (48, 32)
    assert shown(turned)[0, -1] < 10 < 245 < shown(turned)[-1, 0]
    assert "EXIF orientation" in checked(turned).reason
    upright = encoded(image, kind)
    assert checked(upright).data == upright


TURNED = Image.Exif()
TURNED[0x0112] = 6
DEEP = (TILT * 4095).astype(np.uint16)


def turned_png(values: np.ndarray) -> bytes:
    """A PNG of 16 bits a channel, which Pillow does not write, with an orientation."""
    data, said = tf.io.encode_png(values).numpy(), TURNED.tobytes().removeprefix(b"Exif\0\0")
    chunk = b"eXIf" + said
    packed = struct.pack(">I", len(said)) + chunk + struct.pack(">I", zlib.crc32(chunk))
    return data[:33] + packed + data[33:]


@pytest.mark.parametrize(
    "data",
    [
        encoded(Image.fromarray(DEEP), "PNG", exif=TURNED),
        encoded(Image.fromarray(DEEP), "TIFF", tiffinfo={0x0112: 6}),
        encoded(Image.fromarray(DEEP.astype(">u2")), "TIFF", tiffinfo={0x0112: 6}),
        encoded(Image.fromarray(TILT.astype(np.float32)), "TIFF", tiffinfo={0x0112: 6}),
        turned_png(np.stack([DEEP] * 3, axis=-1)),
        turned_png(np.stack([DEEP] * 3 + [DEEP], axis=-1)),
        turned_png(np.stack([DEEP, DEEP], axis=-1)),
    ],
    ids=["PNG", "TIFF", "big-endian", "floating point", "RGB", "RGBA", "LA"],
)
def test_a_deep_image_is_turned_and_scaled(data):
    found = shown(data).astype(int)
    assert np.abs(found - np.rot90(TILT * 255, -1)).max() <= 1
    assert "scaled to 8-bit grey PNG, turned as its EXIF orientation says" in checked(data).reason
    assert checked(data).header.bits >= 16


def test_a_deep_image_that_is_turned_and_white_for_zero_is_all_three():
    tags = {262: 0, 0x0112: 3}
    data = encoded(Image.fromarray(DEEP), "TIFF", tiffinfo=tags)
    assert np.abs(shown(data).astype(int) - (255 - np.rot90(TILT * 255, 2))).max() <= 1
    assert checked(data).reason.endswith("EXIF orientation says, white for zero")


@pytest.mark.parametrize("channels", [2, 3, 4])
def test_deep_colours_keep_their_greys(channels):
    data = tf.io.encode_png(np.stack([DEEP] * channels, axis=-1)).numpy()
    assert np.abs(shown(data).astype(int) - TILT * 255).max() <= 1


@pytest.mark.parametrize(
    "values",
    [
        TILT.astype(np.float32),
        (TILT * 255).astype(np.float32),
        (TILT * 65535).astype(np.float32),
        (TILT * 4095).astype(np.uint16),
        (TILT * (2**20 - 1)).astype(np.int32),
    ],
)
def test_deep_images_keep_their_greys(values):
    found = shown(tiff(values))
    assert np.abs(found - TILT * 255).max() <= 1
    if values.dtype != np.int32:  # Pillow opens no such file, which is told
        inverted = shown(tiff(values, white_for_zero=True))
        assert np.abs(inverted - (255 - TILT * 255)).max() <= 1


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (TILT - 0.5, "nobody knows which of them is black"),
        (np.where(TILT > 0.5, np.nan, TILT), "infinite or no number"),
        (TILT * 1.0001, "nobody knows which is white"),
        (TILT * 10, "nobody knows which is white"),
    ],
)
def test_what_has_no_known_black_is_refused(values, said):
    found = checked(tiff(values.astype(np.float32)))
    assert found.data is None
    assert said in found.reason


@pytest.mark.parametrize("kind", ["TIFF", "GIF", "WEBP", "PNG"])
def test_a_file_of_several_pictures_is_refused(kind):
    pages = [Image.fromarray(picture(n)) for n in range(3)]
    several = encoded(pages[0], kind, save_all=True, append_images=pages[1:])
    assert checked(several).reason == f"a {kind} file of 3 pictures; one is wanted"


def test_a_preview_behind_the_picture_is_no_other_picture():
    page = Image.fromarray((TILT * 255).astype(np.uint8))
    data = encoded(page, "TIFF", save_all=True, append_images=[page.resize((12, 8))])
    assert shown(data).shape == TILT.shape


@pytest.mark.parametrize(
    "image",
    [
        Image.fromarray((TILT * 255).astype(np.uint8)).convert("CMYK"),
        Image.fromarray((TILT * 255).astype(np.uint8)).convert("P"),
        Image.fromarray((TILT * 255).astype(np.uint8)).convert("LA"),
        Image.fromarray((TILT * 65535).astype(np.uint16)),
    ],
)
def test_other_kinds_of_pixels_keep_their_greys(image):
    kind, said = ("JPEG", {"quality": 95}) if image.mode == "CMYK" else ("PNG", {})
    said |= {"transparency": 0} if image.mode == "P" else {}
    assert np.abs(shown(encoded(image, kind, **said)) - TILT * 255).max() <= 2


def test_whole_numbers_of_eight_bits_stay():
    stored = picture(1)
    np.testing.assert_array_equal(scaled(stored), stored)


def test_what_is_no_image_says_so():
    assert checked(b"").reason == "empty file"
    assert "git lfs pull" in checked(b"version https://git-lfs.github.com/spec/v1\noid").reason
    assert "a web page" in checked(b"\n<!DOCTYPE html><title>403</title>").reason
    assert "not an image" in checked(b"x" * 300).reason
    assert "DICOM" in checked(b"\0" * 128 + b"DICM" + b"\xff" * 40).reason


# DICOM


def a_dicom(values: np.ndarray, **said) -> bytes:
    pydicom = pytest.importorskip("pydicom")
    meta = pydicom.dataset.FileMetaDataset()
    meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = pydicom.uid.DigitalXRayImageStorageForPresentation
    meta.MediaStorageSOPInstanceUID = pydicom.uid.generate_uid()
    made = pydicom.dataset.FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    made.SOPClassUID, made.SOPInstanceUID = meta[0x00020002].value, meta[0x00020003].value
    made.Rows, made.Columns = values.shape[-2:]
    made.SamplesPerPixel, made.PhotometricInterpretation = 1, "MONOCHROME2"
    made.BitsAllocated, made.BitsStored, made.HighBit = 16, 12, 11
    made.PixelRepresentation = int(values.dtype.kind == "i")
    made.PixelData = values.astype("<i2" if values.dtype.kind == "i" else "<u2").tobytes()
    for name, value in said.items():
        setattr(made, name, value)
    buffer = io.BytesIO()
    made.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


GREYS = (TILT * 4095).astype(np.uint16)


def test_dicom_is_shown_from_black_to_white():
    assert np.abs(shown(a_dicom(GREYS)) - TILT * 255).max() <= 1
    inverted = shown(a_dicom(GREYS, PhotometricInterpretation="MONOCHROME1"))
    assert np.abs(inverted - (255 - TILT * 255)).max() <= 1
    signed = GREYS.astype(np.int16) - 2048
    assert (
        np.abs(shown(a_dicom(signed, RescaleSlope=2, RescaleIntercept=5)) - TILT * 255).max() <= 1
    )


@pytest.mark.parametrize(
    "said",
    [
        {"RescaleSlope": "1e308", "RescaleIntercept": "1e308"},
        {"RescaleSlope": "1e306", "RescaleIntercept": "-1e308"},
        {"RescaleSlope": "1e300", "RescaleIntercept": 0, "WindowCenter": 1, "WindowWidth": "1e308"},
    ],
)
def test_dicom_values_beyond_all_numbers_are_refused(said, recwarn):
    """And a picture that is taken is not of one grey."""
    found = checked(a_dicom(GREYS, **said))
    assert found.data is None or np.ptp(shown(a_dicom(GREYS, **said))) > 0
    assert found.data or "too large" in found.reason
    assert not recwarn


def test_what_pydicom_thinks_of_a_header_is_not_said(monkeypatch, recwarn):
    data = a_dicom(GREYS, PatientAge="058Y")
    odd = data.replace(b"058Y", b"old?").replace(b"AS\x04\x00", b"IS\x04\x00")
    said, handler = [], logging.Handler()
    monkeypatch.setattr(handler, "emit", said.append)
    monkeypatch.setattr(logging.getLogger(), "handlers", [handler])
    with silenced():
        assert dicom.told(odd).age == -1
    assert checked(odd).data
    assert not recwarn
    assert said == []


def test_a_window_is_applied():
    found = shown(a_dicom(GREYS, WindowCenter=2048, WindowWidth=1024))
    assert (found[TILT < 0.36] == 0).all()
    assert (found[TILT > 0.64] == 255).all()
    assert 100 < found[(TILT > 0.49) & (TILT < 0.51)].mean() < 155


@pytest.mark.parametrize("said", [{"WindowWidth": 0}, {"WindowCenter": 60000, "WindowWidth": 10}])
def test_a_window_through_which_nothing_is_seen_is_none(said):
    assert np.abs(shown(a_dicom(GREYS, **{"WindowCenter": 9, **said})) - TILT * 255).max() <= 1


def test_colours_of_dicom_become_grey_once():
    film = Image.fromarray((TILT * 255).astype(np.uint8))
    grey = np.asarray(film).astype(int)
    for space, mode in (("RGB", "RGB"), ("YBR_FULL", "YCbCr")):
        colours = np.asarray(film.convert("RGB").convert(mode))
        said = {"SamplesPerPixel": 3, "PhotometricInterpretation": space, "PlanarConfiguration": 0}
        said |= {"BitsAllocated": 8, "BitsStored": 8, "HighBit": 7, "PixelData": colours.tobytes()}
        assert np.abs(shown(a_dicom(GREYS, **said)).astype(int) - grey).max() <= 1


@pytest.mark.parametrize("bits", [12, 16])
def test_deep_colours_of_dicom_are_scaled_by_the_bits_that_they_need(bits):
    colours = np.repeat((TILT * (2**bits - 1)).astype("<u2")[..., None], 3, axis=2)
    said = {"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB", "PlanarConfiguration": 0}
    said |= {"BitsAllocated": 16, "BitsStored": 16, "HighBit": 15, "PixelData": colours.tobytes()}
    assert np.abs(shown(a_dicom(GREYS, **said)) - TILT * 255).max() <= 1


@pytest.mark.parametrize("implicit", [True, False, None])
def test_dicom_without_the_mark_in_front_is_read(implicit, tmp_path):
    """Public reports: https://github.com/pydicom/pydicom/issues/150, .../issues/340."""
    pydicom = pytest.importorskip("pydicom")
    data = a_dicom(GREYS, PatientID="7")[132:]
    if implicit is not None:  # and without the group that says how the rest is written
        buffer, bare = io.BytesIO(), pydicom.Dataset()
        bare.update(pydicom.dcmread(io.BytesIO(data), force=True))
        pydicom.dcmwrite(buffer, bare, implicit_vr=implicit, little_endian=True)
        data = buffer.getvalue()
    assert not data.startswith(b"\0")
    (tmp_path / "IM0001").write_bytes(data)
    assert dicom.dicom_files(tmp_path, ["IM0001"]) == {"IM0001"}
    assert np.abs(shown(data).astype(int) - TILT * 255).max() <= 1
    assert dicom.told(data).patient == "7"


@pytest.mark.parametrize("kind", ["MONOCHROME1", "MONOCHROME2"])
def test_what_fills_the_frame_is_black_and_no_part_of_the_range(kind):
    """A public report: https://github.com/dgobbi/vtk-dicom/issues/173."""
    values = (TILT * 1000 + 1000).astype(np.int16)
    values[:, :8] = -2000
    said = {"PixelPaddingValue": -2000, "PhotometricInterpretation": kind}
    found = shown(a_dicom(values, **said))
    assert (found[:, :8] == 0).all()
    assert np.ptp(found[:, 8:]) > 250


def test_what_a_header_says():
    data = a_dicom(GREYS, PatientID=" 7 ", PatientSex="F", PatientAge="058Y", ViewPosition="AP")
    assert dicom.told(data) == ("7", "F", 58, "AP")
    assert dicom.told(a_dicom(GREYS, PatientID="anonymous", PatientAge="006M"))[:3] == ("", "", 0)


def test_pictures_that_cannot_be_shown_say_why():
    with pytest.raises(Unreadable, match="2 pictures"):
        dicom.grey(a_dicom(np.stack([GREYS, GREYS]), NumberOfFrames=2))
    data = a_dicom(GREYS)
    assert "cannot be decoded" in checked(data[:-900]).reason
    with pytest.raises(Unreadable, match="without a picture"):
        dicom.grey(a_dicom(GREYS, Rows=0))
