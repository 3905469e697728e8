"""Writes simulated sets as people have them: class folders, or loose images and a table.

For tests and for trying things out: nobody's images, nobody's labels.
"""

from __future__ import annotations

import csv
import io
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

FINDINGS = ("Effusion", "Edema")


def write_folders(
    folder: Path, *, patients: int = 24, seed: int = 0, size: int = 64, pools: tuple[str, ...] = ()
) -> Path:
    """Write ``NORMAL/`` and ``EFFUSION/``, or both below each of ``pools``.

    The patient is the number before the underscore of a file name; everyone has one or two images.
    An ``image_folder.toml`` says so.

    Args:
        folder: where to write; created if missing.
        patients: how many, every second one ill; they take turns in the pools.
        seed: of every random draw.
        size: pixels a side, 32 or more.
        pools: e.g. ``("train", "test")``.
    """
    root = Path(folder)
    root.mkdir(parents=True, exist_ok=True)
    for number in range(1, patients + 1):
        label = ("NORMAL", "EFFUSION")[number % 2]
        place = root / pools[number % len(pools)] / label if pools else root / label
        place.mkdir(parents=True, exist_ok=True)
        for index in range(1 + number % 3 // 2):
            pixels = _pixels(seed, number, index, size, FINDINGS[:1] if number % 2 else ())
            name = f"{number:03d}_{index}.{'png' if number % 4 else 'jpg'}"
            Image.fromarray(pixels).save(place / name)
    (root / "image_folder.toml").write_text("patient_pattern = '^([0-9]+)_'\n")
    (root / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")
    return root


def write_table(folder: Path, *, patients: int = 24, seed: int = 0, size: int = 64) -> Path:
    """Write ``films/*.png`` and ``labels.csv``, with a byte order mark and semicolons.

    Columns ``file``, ``person`` (numbers with leading zeros), ``Effusion`` and ``Edema``: 1, 0, or
    empty for one in five.

    Args:
        folder: where to write; created if missing.
        patients: how many.
        seed: of every random draw.
        size: pixels a side, 32 or more.
    """
    root = Path(folder)
    (root / "films").mkdir(parents=True, exist_ok=True)
    rows = []
    for number in range(1, patients + 1):
        ill = [number % 2 == 0, number % 3 == 0]
        found = tuple(f for f, present in zip(FINDINGS, ill, strict=True) if present)
        for index in range(1 + number % 2):
            name = f"{100 * number + index}.png"
            Image.fromarray(_pixels(seed, number, index, size, found)).save(root / "films" / name)
            cells = ["" if number % 5 == 0 else int(ill[0]), int(ill[1])]
            rows.append([name, f"{number:04d}", *cells])
    text = io.StringIO()
    table = csv.writer(text, delimiter=";")
    table.writerows([["file", "person", *FINDINGS], *rows])
    (root / "labels.csv").write_bytes(text.getvalue().encode("utf-8-sig"))
    return root


@lru_cache(maxsize=1000)  # every layout of a set shows the same films
def _pixels(seed: int, number: int, index: int, size: int, findings: tuple[str, ...]) -> np.ndarray:
    from tfds_builders.thorax_phantom import simulation

    patient = simulation.draw_patient(seed, f"own {number}", findings=findings)
    return simulation.simulate(patient, index, size, view="PA").pixels
