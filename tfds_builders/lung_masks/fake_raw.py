"""Writes simulated radiographs with lung masks in the published layouts, with their quirks.

For tests and for trying things out: nobody's images, nobody's lungs.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

NAMES = ("montgomery", "shenzhen", "jsrt", "darwin", "kermany_pairs")


def write(folder: Path, config: str, *, patients: int = 24, seed: int = 0, size: int = 64) -> Path:
    """Write the files of one config below a folder, the same for the same seed.

    The quirks: Montgomery's masks are of one lung each and of one bit; every fifth image of
    Shenzhen has no mask; JSRT is raw films (every sixth a PNG) with GIF masks of half the size in
    two folds, and SCR's masks of the heart; Darwin names masks by number, has a region to ignore
    in every third and nothing at all in the mask of a lateral; Kermany has several images of
    some children.

    Args:
        folder: where to write; created if missing.
        config: one of ``NAMES``.
        patients: how many; one image each except in ``kermany_pairs``.
        seed: of every random draw.
        size: pixels a side, a power of two of at least 64.
    """
    writers: dict[str, Callable] = {
        "montgomery": _montgomery,
        "shenzhen": _shenzhen,
        "jsrt": _jsrt,
        "darwin": _darwin,
        "kermany_pairs": _kermany_pairs,
    }
    # The salted hash of these numbers puts somebody into each split even where there are few.
    first = 181 if config == "darwin" else 1
    for number in range(first, first + patients):
        pixels, mask = _film(config, number, seed, size)
        writers[config](Path(folder), number, pixels, mask)
    return Path(folder)


def add(folder: Path, config: str, number: int, data: bytes, mask: np.ndarray) -> Path:
    """Write one more image, whatever its bytes are, with a mask; returns the image's path.

    Args:
        folder: as for :func:`write`.
        config: one of ``NAMES``.
        number: of a patient not written before.
        data: content of the image file.
        mask: (H, W) bool.
    """
    root = Path(folder)
    if config == "montgomery":
        _halves(root / "MontgomerySet", f"MCUCXR_{number:04d}_0", mask)
        return _save(root / f"MontgomerySet/CXR_png/MCUCXR_{number:04d}_0.png", data)
    if config == "shenzhen":
        _save(root / f"mask/CHNCXR_{number:04d}_0_mask.png", _encode(_grey(mask), "PNG"))
        return _save(root / f"ChinaSet_AllFiles/CXR_png/CHNCXR_{number:04d}_0.png", data)
    if config == "jsrt":
        _scr(root, f"JPCNN{number:03d}", mask)
        return _save(root / f"All247images/JPCNN{number:03d}.png", data)
    if config == "darwin":
        return _darwin_files(root, number, f"IM-{number:04d}-0001", data, _grey(mask))
    return _pair(root, "NORMAL", f"NORMAL2-IM-{number:04d}-0001", data, mask)


@lru_cache(maxsize=1000)  # every layout of a set shows the same films
def _film(config: str, number: int, seed: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    from tfds_builders.thorax_phantom import simulation

    patient = simulation.draw_patient(seed, f"{config} {number}")
    bits = 12 if config == "jsrt" else 8
    film = simulation.simulate(patient, 0, size, view="PA", bits=bits)
    return film.pixels, film.lung_mask


def _montgomery(root: Path, number: int, pixels: np.ndarray, mask: np.ndarray) -> None:
    key = f"MCUCXR_{number:04d}_{number % 2}"
    path = root / "MontgomerySet"
    _save(path / f"CXR_png/{key}.png", _encode(pixels, "PNG"))
    _halves(path, key, mask)
    text = f"Patient's Sex: {'FM'[number % 2]}\r\nPatient's Age: {20 + number:03d}Y\r\nnormal\r\n"
    _save(path / f"ClinicalReadings/{key}.txt", text.encode())
    _save(path / "NLM-MontgomeryCXRSet-ReadMe.pdf", b"%PDF-1.4")


def _halves(root: Path, key: str, mask: np.ndarray) -> None:
    # On a radiograph the patient faces us: the left lung is on the right of the picture.
    middle = mask.shape[1] // 2
    for side, columns in (("left", slice(middle, None)), ("right", slice(None, middle))):
        half = np.zeros_like(mask)
        half[:, columns] = mask[:, columns]
        _save(root / f"ManualMask/{side}Mask/{key}.png", _encode(half, "PNG"))


def _shenzhen(root: Path, number: int, pixels: np.ndarray, mask: np.ndarray) -> None:
    key = f"CHNCXR_{number:04d}_{number % 2}"
    path = root / "ChinaSet_AllFiles"
    _save(path / f"CXR_png/{key}.png", _encode(np.stack([pixels] * 3, -1), "PNG"))
    if number % 5:
        _save(root / f"mask/{key}_mask.png", _encode(_grey(mask), "PNG"))
    text = f"{('female', 'male')[number % 2]} {20 + number}yrs\nnormal\n"
    _save(path / f"ClinicalReadings/{key}.txt", text.encode())


def _jsrt(root: Path, number: int, pixels: np.ndarray, mask: np.ndarray) -> None:
    key = f"JPC{'LN' if number % 2 else 'NN'}{number:03d}"
    if number % 6:
        samples = (4095 - pixels).astype(">u2")
        _save(root / f"All247images/{key}.IMG", samples.tobytes())
    else:
        _save(root / f"All247images/{key}.png", _encode(pixels, "PNG"))
    _scr(root, key, mask[::2, ::2])
    sex, age = ("Female", "Male")[number % 2], "?" if number == 1 else str(20 + number)
    line = [f"{key}.IMG", "3", "15", age, sex, "1634", "692"] if number % 2 else []
    name = "CLNDAT_EN.txt" if line else "CNNDAT_EN.TXT"
    text = "\t".join(line) or f"{key}.IMG  {age}  {sex}  non-nodule"
    path = root / "Clinical_Information" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(text + "\r\n")


def _scr(root: Path, key: str, mask: np.ndarray) -> None:
    fold = root / f"scratch/fold{2 - int(key[-3:]) % 2}/masks"
    middle = mask.shape[1] // 2
    for side, columns in (("left", slice(middle, None)), ("right", slice(None, middle))):
        half = np.zeros_like(mask)
        half[:, columns] = mask[:, columns]
        _save(fold / f"{side} lung/{key}.gif", _encode(_grey(half), "GIF"))
    _save(fold / f"heart/{key}.gif", _encode(_grey(~mask), "GIF"))


def _darwin(root: Path, number: int, pixels: np.ndarray, mask: np.ndarray) -> None:
    grey = _grey(mask)
    if number % 3 == 0:
        rows, columns = np.nonzero(mask)
        grey[rows[:20], columns[:20]] = 127
    if number == 181:
        grey[:] = 0
    original = f"person{number}_virus_{number}" if number % 2 else f"covid-{number}"
    _darwin_files(root, number, original, _encode(pixels, "JPEG"), grey)


def _darwin_files(root: Path, number: int, original: str, data: bytes, mask: np.ndarray) -> Path:
    top, stem = root / "covid-19-chest-x-ray-dataset", str(1_676_000 + number)
    _save(top / f"annotations/all-images-semantic-masks/{stem}.png", _encode(mask, "PNG"))
    table = b"class_idx,class_name\n0,__background__\n127,Ignore\n255,Lung\n"
    _save(top / "annotations/all-images-semantic-masks/class_mapping.csv", table)
    image = {"filename": f"{original}.jpeg", "original_filename": f"{original}.jpeg"}
    text = json.dumps({"dataset": "covid-19-chest-x-ray-dataset", "image": image})
    _save(top / f"annotations/all-images/{stem}.json", text.encode())
    return _save(top / f"images/{original}.jpeg", data)


def _kermany_pairs(root: Path, number: int, pixels: np.ndarray, mask: np.ndarray) -> None:
    data = _encode(pixels, "JPEG")
    if number % 3 == 0:
        for index in range(1 + number % 2):
            name = f"{'NORMAL2-' if number % 2 else ''}IM-{number:04d}-0001-{index + 1:04d}"
            _pair(root, "NORMAL", name, data, mask, "unique")
    else:
        _pair(root, "bacteria", f"person{number}_bacteria_{number}", data, mask, "seq")
        if number % 2:
            _pair(root, "virus", f"person{number}_virus_{number}", data, mask, "unique")


def _pair(
    root: Path, label: str, stem: str, data: bytes, mask: np.ndarray, pairing: str = "unique"
) -> Path:
    _save(root / f"masks/{stem}.png", _encode(_grey(mask), "PNG"))
    path = root / "pairs.csv"
    new = not path.exists()
    with path.open("a", newline="") as file:
        table = csv.writer(file)
        if new:
            columns = "image,mask,label,patient_id,original_width,original_height,pairing"
            table.writerow(columns.split(","))
        image = f"images/{stem}.jpeg"
        table.writerow([image, f"masks/{stem}.png", label, stem[:7], 1462, 1140, pairing])
    return _save(root / image, data)


def _grey(mask: np.ndarray) -> np.ndarray:
    return np.where(mask, 255, 0).astype(np.uint8)


def _encode(pixels: np.ndarray, format: str) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format)
    return buffer.getvalue()


def _save(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path
