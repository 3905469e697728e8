"""V7 Darwin: masks by number, images by the name that an annotation file gives them."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from pathlib import PurePosixPath

from tfds_builders.errors import Unreadable
from tfds_builders.kermany_pneumonia import patients
from tfds_builders.lung_masks.films import Film, Found
from tfds_builders.lung_masks.raw_files import RawFiles

_MASK = re.compile(r"(?P<top>.*/)(?:all-images-semantic-masks|masks?)/(?P<stem>[^/]+)\.png")
_IMAGE = re.compile(r".*/(?:images|img)/(?P<file>[^/]+)")
_ANNOTATION = re.compile(r".*/annotations/(?:[^/]+/)*(?P<stem>[^/]+)\.json")


def find(raw_files: RawFiles) -> Found:
    """Films of the set; an image without a mask and a mask without an image are refused."""
    found = Found()
    images, masks, annotations = _index(raw_files, found)
    for stem, mask in sorted(masks.items()):
        names = _names(raw_files, annotations.get(stem), found)
        image = next((images[n] for n in (stem, *names) if n in images), None)
        if image is None:
            found.refuse(mask, "a mask of an image that is not there")
            continue
        original = names[-1] if names else stem
        found.films.append(Film(stem, patient_of(original) or stem, image, (mask,)))
    used = {film.image for film in found.films}
    for image in sorted(set(images.values()) - used):
        found.refuse(image, "no mask was found for it")
    return found


def patient_of(stem: str) -> str:
    """Patient number of an image of Kermany's, "" where the name is another's."""
    for folder in ("NORMAL", "PNEUMONIA"):
        try:
            return patients.parse(f"train/{folder}/{stem}.jpeg").patient
        except patients.UnexpectedName:
            continue
    return ""


def _index(raw_files: RawFiles, found: Found) -> tuple[dict[str, str], ...]:
    """Stem to name of the images, the masks and the annotations; doubles are refused."""
    by_role: dict[str, dict[str, list[str]]] = {r: defaultdict(list) for r in ("i", "m", "a")}
    for name in raw_files.names:
        for role, pattern in (("m", _MASK), ("i", _IMAGE), ("a", _ANNOTATION)):
            if pattern.fullmatch("/" + name):
                by_role[role][PurePosixPath(name).stem].append(name)
                break
    for role in ("i", "m"):
        for stem, names in by_role[role].items():
            for name in names[1:]:
                found.refuse(name, f"a second file called {stem}; {names[0]} is used")
    images, masks, annotations = (
        {stem: names[0] for stem, names in files.items()} for files in by_role.values()
    )
    return images, masks, annotations


def _names(raw_files: RawFiles, annotation: str | None, found: Found) -> tuple[str, ...]:
    """Stems that an annotation gives its image: as stored, and as it came."""
    if annotation is None:
        return ()
    try:
        image = json.loads(raw_files.read(annotation))["image"]
        given = [image[key] for key in ("filename", "original_filename") if key in image]
        return tuple(PurePosixPath(str(name)).stem for name in given)
    except (Unreadable, ValueError, KeyError, TypeError, RecursionError):
        found.refuse(annotation, "no annotation in Darwin's JSON format")
        return ()
