"""Writes simulated radiographs in the published layout of this set, with its quirks.

For tests and for trying things out: nobody's images, nobody's labels.
"""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

_FOLDERS = {"normal": "NORMAL", "bacterial": "PNEUMONIA", "viral": "PNEUMONIA"}


@dataclass(frozen=True)
class _Shot:
    """One image to write: published folder, child's number, cause, and which image of the child."""

    pool: str
    number: int
    cause: str
    index: int


def write(
    folder: Path, *, patients: int = 60, seed: int = 0, style: str = "kaggle", size: int = 64
) -> Path:
    """Write ``chest_xray`` with all its folders below a folder, the same for the same seed.

    The quirks: numbers occur in train and in test, a number has bacterial and viral images, every
    seventh file is RGB, no two images need have one size, one train image lies there twice under
    one number and one under two numbers, macOS leaves its files.

    Args:
        folder: where to write; created if missing.
        patients: children in the training pool, half of them healthy; test has a third as many.
        seed: of every random draw.
        style: file names and folders as on ``"kaggle"`` or ``"mendeley"``.
        size: longer side in pixels, 32 or more.

    Returns:
        The folder ``chest_xray``.
    """
    name_of = {"kaggle": _kaggle_name, "mendeley": _mendeley_name}[style]
    root = Path(folder) / "chest_xray"
    written: dict[str, list[Path]] = {}
    for count, shot in enumerate(_shots(patients, seed, with_val=style == "kaggle")):
        path = root / shot.pool / _FOLDERS[shot.cause] / name_of(shot)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_jpeg(shot, seed, size, colour=count % 7 == 0))
        written.setdefault(f"{shot.pool} {shot.cause}", []).append(path)
    sick, well = written["train bacterial"][0], written["train normal"][0]
    shutil.copy(sick, sick.with_name(name_of(_Shot("train", 1, "bacterial", 90))))
    shutil.copy(well, well.with_name(name_of(_Shot("train", 900, "normal", 0))))
    (root / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")
    (root / "train" / "NORMAL" / ("._" + well.name)).write_bytes(b"\0\5\26\7")
    return root


def _shots(patients: int, seed: int, with_val: bool) -> Iterator[_Shot]:
    rng = np.random.default_rng(seed)
    # Numbers start at 1 in test again, as they may in the published set.
    ranges = {"train": range(1, patients // 2 + 1), "test": range(1, patients // 6 + 1)}
    if with_val:
        ranges["val"] = range(patients // 2 + 1, patients // 2 + 3)
    for pool, numbers in ranges.items():
        for number in numbers:
            for index in range(rng.integers(1, 4)):
                yield _Shot(pool, number, "normal", index)
            yield _Shot(pool, number, "bacterial" if number % 3 else "viral", 0)
            if number % 2:
                yield _Shot(pool, number, "viral", 1)


def _kaggle_name(shot: _Shot) -> str:
    if shot.cause == "normal":
        prefix = "NORMAL2-" if shot.pool == "test" or shot.number % 2 else ""
        suffix = f"-{shot.index:04d}" if shot.index else ""
        return f"{prefix}IM-{shot.number:04d}-0001{suffix}.jpeg"
    serial = 10 * shot.number + shot.index
    word = {"bacterial": "bacteria", "viral": "virus"}[shot.cause]
    return f"person{shot.number}_{word}_{serial}.jpeg"


def _mendeley_name(shot: _Shot) -> str:
    word = {"normal": "NORMAL", "bacterial": "BACTERIA", "viral": "VIRUS"}[shot.cause]
    patient = 1_000_000 + 37 * shot.number + (500_000 if shot.cause == "normal" else 0)
    return f"{word}-{patient}-{shot.index + 1:04d}.jpeg"


@lru_cache(maxsize=1000)  # every layout of a set shows the same films
def _jpeg(shot: _Shot, seed: int, size: int, colour: bool) -> bytes:
    from tfds_builders.thorax_phantom import simulation

    sick = shot.cause != "normal"
    patient = simulation.draw_patient(
        seed,
        f"{shot.pool} {'sick' if sick else 'well'} {shot.number}",
        age=18,
        findings=("Consolidation",) if sick else (),
    )
    pixels = simulation.simulate(patient, shot.index, size, view="AP").pixels
    cropped = pixels[: size - size // 8 * (shot.number % 3), :]
    buffer = io.BytesIO()
    Image.fromarray(cropped).convert("RGB" if colour else "L").save(buffer, "JPEG", quality=90)
    return buffer.getvalue()
