"""Masks of Kermany's images as pairs.csv, images/ and masks/, with Kermany's patients.

The patient of a film is the one of the builder ``kermany_pneumonia``, read from the file name:
whatever the list calls the patient is not used. Kermany's published training images hold no two
numbers with identical bytes, so that number and patient group are the same there.
"""

from __future__ import annotations

import csv
import io
from pathlib import PurePosixPath

from tfds_builders.encodings import NoText, utf8_text
from tfds_builders.errors import DatasetError, Unreadable
from tfds_builders.kermany_pneumonia import patients
from tfds_builders.lung_masks.films import Film, Found
from tfds_builders.lung_masks.raw_files import RawFiles

LIST = "pairs.csv"
_COLUMNS = ("image", "mask", "label", "pairing")
_FOLDERS = {"NORMAL": "NORMAL", "bacteria": "PNEUMONIA", "virus": "PNEUMONIA"}
_PAIRINGS = ("unique", "seq", "")


def find(raw_files: RawFiles) -> Found:
    """Films of the list; lines and files that do not fit are refused.

    Raises:
        DatasetError: there is a list, but it cannot be read or lacks a column.
    """
    found = Found()
    lists = [name for name in raw_files.names if PurePosixPath(name).name == LIST]
    if not lists:
        return found
    root = lists[0].removesuffix(LIST)
    files = {n.removeprefix(root) for n in raw_files.names if n.startswith(root)}
    used: set[str] = set()
    for number, line in _lines(raw_files, lists[0]):
        try:
            film = _film(line, files, used)
        except Unreadable as error:
            fresh = line["image"] in files - used
            place = root + line["image"] if fresh else f"{lists[0]}, line {number}"
            found.refuse(place, str(error))
            used |= {line["image"], line["mask"]} & files
            continue
        used |= {film.image, *film.masks}
        masks = tuple(root + mask for mask in film.masks)
        found.films.append(
            Film(film.image_id, film.patient_id, root + film.image, masks, pairing=film.pairing)
        )
    for name in sorted(files - used):
        if name.startswith(("images/", "masks/")):
            found.refuse(root + name, f"not in {LIST}")
    return found


def _lines(raw_files: RawFiles, name: str) -> list[tuple[int, dict[str, str]]]:
    try:
        text = utf8_text(raw_files.read(name))
        reader = csv.DictReader(io.StringIO(text), restkey="", restval="")
        lines = [(reader.line_num, line) for line in reader]
    except (Unreadable, NoText, csv.Error) as error:
        raise DatasetError(f"lung_masks: {name} cannot be read: {error}") from error
    missing = [column for column in _COLUMNS if column not in (reader.fieldnames or ())]
    if missing:
        raise DatasetError(
            f"lung_masks: {name} has no column {' and no column '.join(missing)}. "
            f"Its columns are {', '.join(reader.fieldnames or ()) or 'none'}."
        )
    return lines


def _film(line: dict[str, str], files: set[str], used: set[str]) -> Film:
    image, mask = line["image"], line["mask"]
    for name in (image, mask):
        if name not in files:
            raise Unreadable(f"there is no file {name}")
        if name in used:
            raise Unreadable(f"a second line with {name}")
    if line["label"] not in _FOLDERS:
        raise Unreadable(f"label {line['label']!r} is none of {', '.join(_FOLDERS)}")
    if line["pairing"] not in _PAIRINGS:
        raise Unreadable(f"pairing {line['pairing']!r} is neither unique nor seq")
    try:
        named = patients.parse(f"train/{_FOLDERS[line['label']]}/{PurePosixPath(image).name}")
    except patients.UnexpectedName as error:
        raise Unreadable(str(error)) from error
    return Film(image, named.patient, image, (mask,), pairing=line["pairing"])
