"""Writes simulated radiographs in the published layout of this set, with its quirks.

For tests and for trying things out: nobody's images, nobody's labels.
"""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

from tfds_builders.padchest.raw import TABLE

COLUMNS = (
    "",
    "ImageID",
    "ImageDir",
    "StudyDate_DICOM",
    "StudyID",
    "PatientID",
    "PatientBirth",
    "PatientSex_DICOM",
    "ViewPosition_DICOM",
    "Projection",
    "MethodProjection",
    "Pediatric",
    "Modality_DICOM",
    "Manufacturer_DICOM",
    "PhotometricInterpretation_DICOM",
    "PixelRepresentation_DICOM",
    "PixelAspectRatio_DICOM",
    "SpatialResolution_DICOM",
    "BitsStored_DICOM",
    "WindowCenter_DICOM",
    "WindowWidth_DICOM",
    "Rows_DICOM",
    "Columns_DICOM",
    "XRayTubeCurrent_DICOM",
    "Exposure_DICOM",
    "ExposureInuAs_DICOM",
    "ExposureTime",
    "RelativeXRayExposure_DICOM",
    "ReportID",
    "Report",
    "MethodLabel",
    "Labels",
    "Localizations",
    "LabelsLocalizationsBySentence",
    "labelCUIS",
    "LocalizationsCUIS",
)
IN_README = {"labelCUIS": "LabelCUIS", "ExposureTime": "ExposureTime_DICOM"}
"""The two columns that the published README spells in another way than the published table."""

MISSING = (
    "216840111366964012819207061112010307142602253_04-014-084.png",
    "216840111366964012373310883942009117084022290_00-064-025.png",
)
BROKEN = "216840111366964012373310883942009152114636712_00-102-045.png"
MENDED = "216840111366964013590140476722013043111952381_02-065-198.png"
ABSENT = 12
"""Images listed but in no folder, under the names ``absent_image(0)``, ``absent_image(1)``, ..."""

_FOLDERS = ("0", "3", "54")
_UNSEEN = 10**6  # patients of whom no image is there have numbers from here on
_PROJECTIONS = (
    "PA",
    "PA",
    "AP_horizontal",
    "PA",
    "AP",
    "L",
    "PA",
    "COSTAL",
    "PA",
    "UNK",
    "EXCLUDE",
)
# The cell as it stands in the table, and what the phantom is to show.
_SAID = (
    ("['normal']", ()),
    ("['lung metastasis', ' pleural effusion']", ("Lung Metastasis", "Effusion")),
    ("[' normal', 'unchanged', '']", ()),
    ("['Cardiomegaly', 'hiatal hernia']", ("Cardiomegaly",)),
    ("['normal']", ()),
    ("['pseudonodule', 'mediastinal mass', 'subcutaneous emphysema']", ()),
    ("['laminar atelectasis', ' consolidation ', 'NSG tube']", ("Consolidation",)),
    ("['normal']", ()),
    ("['hydropneumothorax', 'multiple nodules']", ("Pneumothorax", "Effusion")),
    ("['lung metastasis']", ("Lung Metastasis",)),
    ("", ()),
    ("['exclude']", ()),
    ("['suboptimal study', 'normal']", ()),
    ("['unchanged']", ()),
    ("['Normal ']", ()),
    ("['pulmonary edema', \"pneumonia\", 'kerley lines']", ("Edema",)),
)


@dataclass(frozen=True)
class _Shot:
    """One image: its place in the set, its patient, and what is said and shown."""

    number: int
    image_id: str
    folder: str
    patient: int
    index: int
    projection: str
    labels: str
    shown: tuple[str, ...]

    @property
    def inverted(self) -> bool:
        return self.number % 7 == 3

    @property
    def eight_bit(self) -> bool:
        return self.number % 11 == 5


def absent_image(k: int) -> str:
    """Path of the k-th image that is listed (normal, PA, by a physician) but was not copied."""
    return f"{_FOLDERS[0]}/{_patient_id(_UNSEEN + 64 * k)}_absent.png"


def write(
    folder: Path,
    *,
    patients: int = 60,
    seed: int = 0,
    style: str = "zips",
    gzipped: bool = False,
    as_in_readme: bool = False,
    size: int = 64,
) -> Path:
    """Write table and images into a folder, the same for the same seed.

    The quirks: an unnamed index column; labels with spaces, capitals, empty strings or no value;
    pseudo-labels; long ids; birth years as floats or missing; all projections; 12 bits in 16-bit
    PNG and some 8-bit ones; MONOCHROME1; images that are known to be missing or broken, one of
    them mended; images of zip files that were not copied.

    Args:
        folder: where to write; created if missing.
        patients: number of patients, with one to three images each.
        seed: of every random draw.
        style: ``"zips"`` (0.zip ...), ``"folders"`` (0/ ...) or ``"flat"`` (images/).
        gzipped: True for a ``.csv.gz``.
        as_in_readme: True to spell two columns as the published README does.
        size: pixels per side of the largest image, 32 or more.

    Returns:
        The folder.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    shots = list(_shots(patients, seed))
    files = {f"{s.folder}/{s.image_id}": _png(s, seed, size) for s in shots}
    broken = next(s for s in shots if s.image_id == BROKEN)
    files[f"{broken.folder}/{BROKEN}"] = files[f"{broken.folder}/{BROKEN}"][:-200]
    {"zips": _write_zips, "folders": _write_folders, "flat": _write_flat}[style](folder, files)
    rows = [_row(s, k, seed, size) for k, s in enumerate([*shots, *_listed_only(len(shots))])]
    _write_table(folder, rows, gzipped, as_in_readme)
    return folder


def _shots(patients: int, seed: int) -> Iterator[_Shot]:
    rng = np.random.default_rng(seed)
    number = 0
    for patient in range(patients):
        labels, shown = _SAID[patient % len(_SAID)]
        for index in range(int(rng.integers(1, 4))):
            image_id = f"{_study_id(patient, index)}_{rng.integers(36**6):x}.png"
            yield _Shot(
                number,
                {4: BROKEN, 7: MENDED}.get(number, image_id),
                _FOLDERS[number % len(_FOLDERS)],
                patient,
                index,
                "PA" if number in (4, 7) else _PROJECTIONS[number % len(_PROJECTIONS)],
                "['normal']" if number in (4, 7) else labels,
                shown,
            )
            number += 1


def _listed_only(number: int) -> Iterator[_Shot]:
    """Rows without an image: known to be missing from the publication, or not copied."""
    names = [*MISSING, *(Path(absent_image(k)).name for k in range(ABSENT))]
    for k, name in enumerate(names, -len(MISSING)):
        # Numbers that give all of them the usual photometric interpretation and a physician.
        yield _Shot(
            7 * (number + k), name, _FOLDERS[0], _UNSEEN + 64 * k, 0, "PA", "['normal']", ()
        )


def _patient_id(patient: int) -> str:
    # The last digits alone tell some of them apart: as floats they would be one patient.
    return str(10**38 + 7 * patient) if patient % 3 else str(839860488694292331637988 + patient)


def _study_id(patient: int, index: int) -> str:
    return str(216840111366964012819207061112010307142602253 + 1000 * patient + index)


def _row(shot: _Shot, row: int, seed: int, size: int) -> dict[str, object]:
    rng = np.random.default_rng([seed, shot.patient])
    birth = rng.choice([*(f"{year}.0" for year in range(1925, 1995)), *[""] * 10, *["2090.0"] * 5])
    # Not by patient % len(_SAID): every label has to come from both.
    by_network = shot.patient // len(_SAID) % 4 == 1
    return dict.fromkeys(COLUMNS, "") | {
        "": row,
        "ImageID": shot.image_id,
        "ImageDir": shot.folder,
        "StudyDate_DICOM": 20100101 + 10000 * shot.index,
        "StudyID": _study_id(shot.patient, shot.index),
        "PatientID": _patient_id(shot.patient),
        "PatientBirth": birth,
        "PatientSex_DICOM": rng.choice(["F", "M", "", "O"], p=[0.45, 0.45, 0.05, 0.05]),
        "Projection": shot.projection,
        "MethodProjection": "Manual review of DICOM fields",
        "Pediatric": "No",
        "Modality_DICOM": "DX",
        "PhotometricInterpretation_DICOM": "MONOCHROME1" if shot.inverted else "MONOCHROME2",
        "PixelRepresentation_DICOM": 0,
        "BitsStored_DICOM": 12.0,
        "Rows_DICOM": float(_rows(shot, size)),
        "Columns_DICOM": float(size),
        "ExposureTime": 9.0,
        "ReportID": 4765000 + shot.patient,
        "Report": 'sin hallazg patolog , ni "derram" . sin cambi .',
        "MethodLabel": "RNN_model" if by_network else "Physician",
        "Labels": shot.labels,
        "Localizations": "['loc basal', 'loc left']",
        "LabelsLocalizationsBySentence": "[['normal'], ['unchanged', 'loc basal']]",
        "labelCUIS": "['C0205307' 'C2073625']",
    }


def _write_table(folder: Path, rows: list[dict], gzipped: bool, as_in_readme: bool) -> None:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writerow({name: IN_README.get(name, name) if as_in_readme else name for name in COLUMNS})
    writer.writerows(rows)
    data = text.getvalue().encode()
    if gzipped:
        (folder / f"{TABLE}.gz").write_bytes(gzip.compress(data, mtime=0))
    else:
        (folder / TABLE).write_bytes(data)


@lru_cache(maxsize=1000)  # every layout of a set shows the same films
def _png(shot: _Shot, seed: int, size: int) -> bytes:
    from tfds_builders.thorax_phantom import simulation

    patient = simulation.draw_patient(seed, str(shot.patient), age=60, findings=shot.shown)
    view = {"L": "L", "PA": "PA"}.get(shot.projection, "AP")
    pixels = simulation.simulate(patient, shot.index, size, view=view, bits=12).pixels
    pixels = pixels[: _rows(shot, size), :]
    if shot.eight_bit:
        pixels = (pixels >> 4).astype(np.uint8)
    if shot.inverted:
        pixels = (255 if shot.eight_bit else 4095) - pixels
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def _rows(shot: _Shot, size: int) -> int:
    return size - size // 8 * (shot.number % 3)


def _write_zips(folder: Path, files: dict[str, bytes]) -> None:
    for number in _FOLDERS:
        with zipfile.ZipFile(folder / f"{number}.zip", "w", zipfile.ZIP_STORED) as archive:
            for name, data in files.items():
                if name.startswith(f"{number}/"):
                    info = zipfile.ZipInfo(name.removeprefix(f"{number}/"))
                    archive.writestr(info, data)


def _write_folders(folder: Path, files: dict[str, bytes]) -> None:
    for name, data in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(data)
    (folder / _FOLDERS[0] / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")


def _write_flat(folder: Path, files: dict[str, bytes]) -> None:
    (folder / "images").mkdir()
    for name, data in files.items():
        (folder / "images" / Path(name).name).write_bytes(data)
