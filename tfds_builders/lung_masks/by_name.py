"""Montgomery, Shenzhen and JSRT: the name of a file says which film it is of.

A config is found by what its files are called, wherever they lie: in the published tree, in
Kaggle's joint copy of Montgomery and Shenzhen, or in the joint copy on Mendeley Data. Files of
the other sets in the same folders are left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from tfds_builders.errors import Unreadable
from tfds_builders.lung_masks import clinical
from tfds_builders.lung_masks.clinical import UNKNOWN, Person
from tfds_builders.lung_masks.films import Film, Found
from tfds_builders.lung_masks.raw_files import RawFiles

_PICTURE = r"\.(?:png|jpe?g|gif|tiff?|bmp)"
_ANY_SET = re.compile(r"(?:MCUCXR_\d+_[01]|CHNCXR_\d+_[01]|JPC(?:LN|NN)\d{3})(?!\d)")


def _pattern(text: str) -> re.Pattern:
    return re.compile(rf".*/{text}", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True)
class Naming:
    """How the files of one set are called; each pattern has a group ``key``, the film.

    Attributes:
        image: radiographs.
        half: masks of one lung, with a group ``side``; None where there are none.
        whole: masks of both lungs.
        reading: readings, one a film; None where they come in one list.
        lists: file names of lists of all films.
        alone: why an image has no mask.
    """

    image: re.Pattern
    half: re.Pattern | None
    whole: re.Pattern
    reading: re.Pattern | None = None
    lists: tuple[str, ...] = ()
    alone: str = "no mask was found for it"


def _tuberculosis(key: str, half: str | None, alone: str = Naming.alone) -> Naming:
    return Naming(
        image=_pattern(rf"(?:CXR_png|img|images)/(?P<key>{key}){_PICTURE}"),
        half=_pattern(rf"{half}/(?P<key>{key}){_PICTURE}") if half else None,
        whole=_pattern(rf"masks?/(?P<key>{key})(?:_mask)?{_PICTURE}"),
        reading=_pattern(rf"ClinicalReadings/(?P<key>{key})\.txt"),
        alone=alone,
    )


_JSRT_KEY = r"(?P<key>JPC(?:LN|NN)\d{3})"
NAMINGS = {
    "montgomery": _tuberculosis(r"MCUCXR_\d+_[01]", r"(?P<side>left|right)Mask"),
    "shenzhen": _tuberculosis(r"CHNCXR_\d+_[01]", None, "published without a mask, as 96 are"),
    "jsrt": Naming(
        image=re.compile(
            rf"(?!.*/masks?/)(?!.*(?:lung|heart|clavicle)/).*/{_JSRT_KEY}(?:\.IMG|{_PICTURE})",
            re.IGNORECASE | re.ASCII,
        ),
        half=_pattern(rf"(?P<side>left|right)[ _]lung/{_JSRT_KEY}{_PICTURE}"),
        whole=_pattern(rf"masks?/{_JSRT_KEY}(?:_?ma?sk)?{_PICTURE}"),
        lists=("clndat_en.txt", "cnndat_en.txt"),
    ),
}


def find(raw_files: RawFiles, config: str) -> Found:
    """Films of one of the sets that are told by name, those without a mask refused."""
    naming = NAMINGS[config]
    found = Found()
    index: dict[str, dict[str, str]]
    index = {role: {} for role in ("image", "left", "right", "whole", "reading")}
    for name, role, key in _roles(raw_files.names, naming):
        if key in index[role]:
            found.refuse(name, f"a second file of {key}; {index[role][key]} is used")
        else:
            index[role][key] = name
    people = _people(raw_files, naming, index["reading"])
    for key, image in sorted(index["image"].items()):
        masks = _masks(index, key)
        if masks:
            found.films.append(Film(key, _patient(key), image, masks, people.get(key, UNKNOWN)))
        else:
            found.refuse(image, _why_alone(index, key, naming))
    _refuse_strays(found, raw_files.names, naming, index)
    return found


def _roles(names: Iterable[str], naming: Naming) -> Iterator[tuple[str, str, str]]:
    """(name, role, key); the raw films of JSRT come before copies of them."""
    patterns = {"half": naming.half, "whole": naming.whole, "reading": naming.reading}
    patterns["image"] = naming.image
    for name in sorted(names, key=lambda n: (not n.upper().endswith(".IMG"), n)):
        for role, pattern in patterns.items():
            match = pattern.fullmatch("/" + name) if pattern else None
            if match:
                role = match["side"].lower() if role == "half" else role
                yield name, role, match["key"].upper()
                break


def _masks(index: dict[str, dict[str, str]], key: str) -> tuple[str, ...]:
    halves = [index[side][key] for side in ("left", "right") if key in index[side]]
    if len(halves) == 2:
        return tuple(halves)
    return (index["whole"][key],) if key in index["whole"] else ()


def _why_alone(index: dict[str, dict[str, str]], key: str, naming: Naming) -> str:
    missing = [side for side in ("left", "right") if key not in index[side]]
    return f"the mask of the {missing[0]} lung is missing" if len(missing) == 1 else naming.alone


def _patient(key: str) -> str:
    # Montgomery and Shenzhen: the last digit is the label. One film a patient in all three sets.
    return key.rpartition("_")[0] or key


def _people(raw_files: RawFiles, naming: Naming, readings: dict[str, str]) -> dict[str, Person]:
    people = {key: clinical.reading(_text(raw_files, name)) for key, name in readings.items()}
    for name in raw_files.names:
        if PurePosixPath(name).name.lower() in naming.lists:
            people |= clinical.jsrt_list(_text(raw_files, name))
    return people


def _text(raw_files: RawFiles, name: str) -> str:
    try:
        return raw_files.read(name).decode("utf-8", errors="replace")
    except Unreadable:  # without its reading, the film is of a person of unknown age and sex
        return ""


def _refuse_strays(found: Found, names: Iterable[str], naming: Naming, index: dict) -> None:
    """Account for masks without an image, and for other files that lie among the images."""
    used = {name for film in found.films for name in (film.image, *film.masks)}
    gone = {entry["file"] for entry in found.refused}
    for role in ("left", "right", "whole"):
        for key, name in index[role].items():
            if key not in index["image"]:
                found.refuse(name, "a mask of an image that is not there")
    folders = {name.rpartition("/")[0] for name in index["image"].values()}
    for name in names:
        known = name in used or name in gone or _ANY_SET.match(PurePosixPath(name).name)
        listed = PurePosixPath(name).name.lower() in naming.lists
        if name.rpartition("/")[0] in folders and not (known or listed):
            found.refuse(name, "not named as an image of this set")
