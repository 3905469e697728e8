"""What comes from outside is measured before it is read: dimensions, ratios, sizes."""

from __future__ import annotations

import gzip
import struct
import zlib

import pytest

from tfds_builders import images
from tfds_builders.errors import DatasetError, Unreadable
from tfds_builders.image_folder import dicom, rows


def png(width: int, height: int, *chunks: tuple[bytes, bytes]) -> bytes:
    """A file whose header says so much; its pixels end early."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = [(b"IHDR", header), *chunks, (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b"")]
    packed = (
        struct.pack(">I", len(d)) + t + d + struct.pack(">I", zlib.crc32(t + d)) for t, d in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


@pytest.mark.parametrize("size", [(100_000, 100_000), (2**31 - 1, 1), (1, 2**31 - 1)])
def test_an_image_is_refused_by_the_size_that_its_header_says(size):
    checked = images.check(png(*size))
    assert checked.data is None
    assert checked.reason.startswith("too large")


def test_a_text_in_an_image_is_not_inflated_without_bound():
    bomb = (b"zTXt", b"a\0\0" + zlib.compress(bytes(200_000_000)))
    checked = images.check(png(10, 10, bomb))
    assert checked.data is None
    assert "too large" in checked.reason


def test_a_compressed_table_is_not_inflated_without_bound(tmp_path):
    path = tmp_path / "labels.csv.gz"
    path.write_bytes(gzip.compress(b"image,finding\n" + bytes(100_000_000)))
    with pytest.raises(DatasetError, match=r"labels\.csv\.gz cannot be read: .*bomb"):
        rows.read(path, ["image"])


def test_a_table_has_a_largest_size(tmp_path, monkeypatch):
    path = tmp_path / "labels.csv"
    path.write_bytes(b"image,finding\n" + b"a.png,1\n" * 10)
    assert len(rows.read(path, ["image"])) == 10
    monkeypatch.setattr(rows, "MAX_BYTES", 50)
    with pytest.raises(DatasetError, match=r"labels\.csv holds more than"):
        rows.read(path, ["image"])


def test_a_dicom_file_is_not_inflated_without_bound():
    pydicom = pytest.importorskip("pydicom")
    found = pydicom.Dataset()
    found.file_meta = pydicom.dataset.FileMetaDataset()
    found.file_meta.TransferSyntaxUID = pydicom.uid.DeflatedExplicitVRLittleEndian
    found.file_meta.MediaStorageSOPClassUID = pydicom.uid.SecondaryCaptureImageStorage
    found.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    found.PatientID, found.Rows, found.Columns = "1", 4, 4
    found.TextValue = "x" * 10**6
    buffer = pydicom.filebase.DicomBytesIO()
    found.save_as(buffer, enforce_file_format=True)
    with pytest.raises(Unreadable, match="deflated data"):
        dicom.grey(buffer.getvalue())
