"""Spellings of one patient count as one, wherever the patient is said; what copies contradict."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from own_sets import looked, rows, tabled, touched, write

from tfds_builders.archives import Folder
from tfds_builders.image_folder.options import Options
from tfds_builders.image_folder.reading import read
from tfds_builders.image_folder.surveying import survey
from tfds_builders.ingest_report import IngestReport

IDS = ["7", "007", "0012", "12", "3"]
NOTE = "spelled in several ways count as one patient each, 2 in all: "


def test_a_pattern_in_the_names_of_class_folders(tmp_path):
    names = [f"{c}/{each}_{c}.png" for c in ("normal", "ill") for each in IDS]
    found = looked(touched(tmp_path, names), patient_pattern="^([0-9]+)_")
    assert {entry.patient for entry in found.entries} == {"7", "12", "3"}
    assert any(NOTE in note for note in found.notes)


def test_a_pattern_in_the_paths_of_a_table(tmp_path):
    names = [f"p{each}/1.png" for each in IDS]
    text = rows("file,Effusion", *(f"{name},1" for name in names))
    said = {"finding_columns": ("Effusion",), "patient_pattern": "p([0-9]+)/"}
    found = tabled(touched(tmp_path, names), text, **said)
    assert {entry.patient for entry in found.entries} == {"7", "12", "3"}
    assert any(NOTE in note for note in found.notes)


def test_a_copy_with_other_labels_is_said(tmp_path):
    folder = write(tmp_path, [f"{c}/{each}_{c}.png" for c in ("normal", "ill") for each in "1234"])
    options = Options(patients="unknown")
    assert (
        survey(Folder(folder), read(folder, options).entries, IngestReport(), options).notes == []
    )
    shutil.copy(folder / "normal/1_normal.png", folder / "normal/5_normal.png")
    shutil.copy(folder / "normal/2_normal.png", folder / "ill/2_normal.png")
    found = survey(Folder(folder), read(folder, options).entries, IngestReport(), options)
    (note,) = found.notes
    assert note.startswith("1 images are there more than once, with different labels, e.g. ill/2")
    assert len(found.entries) == 10


def test_dicom_headers(tmp_path):
    pydicom = pytest.importorskip("pydicom")
    for n, each in enumerate(IDS * 2):
        meta = pydicom.dataset.FileMetaDataset()
        meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
        meta.MediaStorageSOPClassUID = pydicom.uid.DigitalXRayImageStorageForPresentation
        meta.MediaStorageSOPInstanceUID = pydicom.uid.generate_uid()
        made = pydicom.dataset.FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
        made.PatientID = each
        pixels = np.full((4, 4), n, np.uint8)
        made.set_pixel_data(pixels, "MONOCHROME2", bits_stored=8)
        path = tmp_path / ("normal", "ill")[n < len(IDS)] / f"{n}.dcm"
        path.parent.mkdir(exist_ok=True)
        made.save_as(path, enforce_file_format=True)
    options = Options(patients="header")
    entries = read(tmp_path, options).entries
    found = survey(Folder(tmp_path), entries, IngestReport(), options)
    assert {entry.patient for entry in found.entries} == {"7", "12", "3"}
    assert set(found.groups.values()) == {"7", "12", "3"}
    assert any(NOTE in note for note in found.notes)
