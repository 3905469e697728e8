"""Writes simulated radiographs in the published layouts of this set, with their quirks.

For tests and for trying things out: nobody's images, nobody's labels.
"""

from __future__ import annotations

import io
import tarfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

from tfds_builders import splits
from tfds_builders.chestxray14 import raw
from tfds_builders.chestxray14.labels import FINDINGS, NO_FINDING
from tfds_builders.chestxray14.protocols import SALT, SIX

_HEADER = (
    "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,"
    "OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y]"
)
_SAMPLE_HEADER = (
    "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,"
    "OriginalImageWidth,OriginalImageHeight,OriginalImagePixelSpacing_x,OriginalImagePixelSpacing_y"
)
_SEEN_AS = {
    "Consolidation": "Consolidation",
    "Pneumonia": "Consolidation",
    "Effusion": "Effusion",
    "Cardiomegaly": "Cardiomegaly",
    "Edema": "Edema",
    "Pneumothorax": "Pneumothorax",
    "Mass": "Nodule",
    "Nodule": "Nodule",
}
SEED = 192
"""Of the first two hundred, the one that gives 60 patients every class of six in every split."""

ABSENT_PATIENT = next(n for n in range(900, 999) if splits.position(str(n), SALT) < 0.5)
"""A patient whose images, all Effusion alone, are listed and not there; in train everywhere."""


@dataclass(frozen=True)
class _Shot:
    patient: int
    index: int
    labels: tuple[str, ...]
    age: str
    sex: str
    view: str

    @property
    def name(self) -> str:
        return f"{self.patient:08d}_{self.index:03d}.png"

    def line(self, *, old: bool = False) -> str:
        """Line of the table; the first issue has ages like 058Y, and other labels here and there.

        Written with the letter already, an age stays as it is.
        """
        age = self.age if not old or not self.age.isdigit() else f"{self.age:0>3}Y"
        other = old and self.labels == ("Infiltration",) and self.index == 0
        labels = ("Infiltration", "Pneumonia") if other else self.labels
        joined = "|".join(labels) or NO_FINDING
        cells = [self.name, joined, str(self.index), str(self.patient), age, self.sex, self.view]
        return ",".join([*cells, "2500", "2048", "0.168", "0.168"])


def write(
    folder: Path,
    *,
    patients: int = 60,
    seed: int = SEED,
    size: int = 32,
    layout: str = "flat",
    absent: int = 20,
    rgba: bool = True,
) -> Path:
    """Write the main set, the same for the same seed.

    The quirks: commas in the header's brackets, both issues of the labels, ages as 018M, 005D and
    412, images that are listed and not there, RGBA files, files that macOS leaves.

    Args:
        folder: where to write; created if missing.
        patients: with one to three images each.
        seed: of every random draw.
        size: pixels a side, 32 or more.
        layout: images as ``"flat"``, ``"kaggle"`` or ``"archives"``.
        absent: number of images that the tables list and nobody has.
        rgba: whether every ninth file is stored with four channels.

    Returns:
        The folder, which is the manual directory.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    shots = _shots(patients, seed)
    lost = [_Shot(ABSENT_PATIENT, index, ("Effusion",), "60", "F", "PA") for index in range(absent)]
    images = {s.name: _png(s, seed, size, rgba and n % 9 == 0) for n, s in enumerate(shots)}
    {"flat": _flat, "kaggle": _kaggle, "archives": _archives}[layout](folder, images)
    new = [_HEADER, *(s.line() for s in (*shots, *lost))]
    old = [_HEADER + ",", *(s.line(old=True) + "," for s in (*shots, *lost))]
    _text(folder / raw.DATA_ENTRY["v2020"], new)
    _text(folder / raw.DATA_ENTRY["v2017"], old)
    _text(folder / raw.TRAIN_VAL, [s.name for s in (*shots, *lost) if s.patient % 4])
    _text(folder / raw.TEST, [s.name for s in shots if s.patient % 4 == 0])
    _text(folder / raw.BOXES, _boxes(shots))
    return folder


def write_small(folder: Path, *, patients: int = 30, seed: int = 0, size: int = 32) -> Path:
    """Write the teaching subset; two of its patients are in train and in validation.

    Returns:
        The folder that holds ``nih/``, which is the manual directory.
    """
    root = Path(folder) / "nih"
    shots = _shots(patients, seed)
    _put(root / "images-small", {s.name: _png(s, seed, size) for s in shots})
    parts: dict[str, list[_Shot]] = {split: [] for split in raw.SMALL}
    for shot in shots:
        place = ("train", "train", "train", "validation", "test")[shot.patient % 5]
        # The published subset was split by image where a patient has several.
        leaks = shot.patient in (6, 7) and shot.index == 0
        parts["validation" if leaks else place].append(shot)
    columns = sorted((*FINDINGS, "PatientId"))
    for split, name in raw.SMALL.items():
        lines = [",".join(("Image", *columns))]
        for shot in parts[split]:
            cells = {f: str(int(f in shot.labels)) for f in FINDINGS}
            cells["PatientId"] = str(shot.patient)
            lines.append(",".join([shot.name, *(cells[column] for column in columns)]))
        _text(root / name, lines)
    return root.parent


def write_sample(folder: Path, *, patients: int = 40, seed: int = 0, size: int = 32) -> Path:
    """Write Kaggle's sample, with its own header and its ages as 060Y.

    Returns:
        The folder, which is the manual directory.
    """
    shots = _shots(patients, seed)
    _put(Path(folder) / "sample" / "images", {s.name: _png(s, seed, size) for s in shots})
    lines = [_SAMPLE_HEADER, *(s.line(old=True) for s in shots)]
    _text(Path(folder) / "sample" / raw.SAMPLE, lines)
    return Path(folder)


def _shots(patients: int, seed: int) -> list[_Shot]:
    rng = np.random.default_rng(seed)
    alone = (*FINDINGS, *SIX, *SIX)
    found = []
    for patient in range(1, patients + 1):
        sex, age = str(rng.choice(["F", "M"])), int(rng.integers(20, 90))
        for index in range(3 if patient in (6, 7) else int(rng.integers(1, 4))):
            # Every label stands alone somewhere, whatever the draws; others come on top.
            labels = {alone[(patient + index) % len(alone)]} - {NO_FINDING}
            if labels and rng.random() < 0.3:
                labels.add(str(rng.choice(FINDINGS)))
            written = {3: "018M", 5: "005D", 8: "412"}.get(patient, str(age))
            view = str(rng.choice(["PA", "AP"]))
            found.append(_Shot(patient, index, tuple(sorted(labels)), written, sex, view))
    return found


@lru_cache(maxsize=1000)  # every layout of a set shows the same films
def _png(shot: _Shot, seed: int, size: int, rgba: bool = False) -> bytes:
    from tfds_builders.thorax_phantom import simulation

    shown = sorted({_SEEN_AS[label] for label in shot.labels if label in _SEEN_AS})
    patient = simulation.draw_patient(seed, f"nih {shot.patient}", age=50, findings=tuple(shown))
    film = simulation.simulate(patient, shot.index, size, view=shot.view)
    buffer = io.BytesIO()
    Image.fromarray(film.pixels).convert("RGBA" if rgba else "L").save(buffer, "PNG")
    return buffer.getvalue()


def _boxes(shots: list[_Shot]) -> list[str]:
    lines = ["Image Index,Finding Label,Bbox [x,y,w,h],,,"]
    for number, shot in enumerate(s for s in shots if s.labels):
        label = "Infiltrate" if shot.labels[0] == "Infiltration" else shot.labels[0]
        box = f"{225.084745762712 + number},{547.019216763771},{86.7796610169491},79.1864406779661"
        if number % 3 == 0:
            lines.append(f"{shot.name},{label},{box}")
    return lines


def _flat(folder: Path, images: dict[str, bytes]) -> None:
    _put(folder / "images", images)
    (folder / "images" / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")


def _kaggle(folder: Path, images: dict[str, bytes]) -> None:
    for number, part in enumerate(_halves(images), 1):
        _put(folder / f"images_{number:03d}" / "images", part)


def _archives(folder: Path, images: dict[str, bytes]) -> None:
    (folder / "images").mkdir(exist_ok=True)
    for number, part in enumerate(_halves(images), 1):
        with tarfile.open(folder / "images" / f"images_{number:03d}.tar.gz", "w:gz") as archive:
            for name, data in part.items():
                info = tarfile.TarInfo(f"images/{name}")
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))


def _halves(images: dict[str, bytes]) -> list[dict[str, bytes]]:
    names = list(images)
    middle = len(names) // 2
    return [{n: images[n] for n in half} for half in (names[:middle], names[middle:])]


def _put(folder: Path, images: dict[str, bytes]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in images.items():
        (folder / name).write_bytes(data)


def _text(path: Path, lines: list[str]) -> None:
    path.write_text("".join(f"{line}\n" for line in lines))
