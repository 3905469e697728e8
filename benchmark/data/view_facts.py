"""What a view is made of, and the record of it that lies beside its pixels, ``view.json``."""

from __future__ import annotations

import io
from pathlib import Path

import msgspec
import numpy as np

from benchmark.hashing import canonical_json, sha256, sha256_of_file
from benchmark.records.door import RecordError, read_record
from benchmark.records.facts import Count, Record
from benchmark.spec import Sha256

IMAGES = "images.npy"
FACTS = "view.json"
Value = str | int | float | bool | None | dict[str, str]
"""What the pixels of a view may depend on, as plain JSON."""

_SOUND: set[tuple[str | int, ...]] = set()
"""Files of pixels that agreed with their hash when this process read them, and their state."""


class Recipe(Record, frozen=True):
    """What the pixels of a view depend on, and what a person wants to know about it.

    Attributes:
        image_ids_sha256: of the ids of its images, in their order.
        shape: images, height, width.
        further: what else they depend on, such as a preprocessing and its version.
    """

    dataset: str
    dataset_version: str
    manifest_sha256: Sha256
    split: str
    size: Count
    decode_version: int
    image_ids_sha256: Sha256
    shape: tuple[Count, Count, Count]
    further: dict[str, Value]

    @property
    def key(self) -> str:
        """Sixteen hexadecimal digits, the name of the view's folder."""
        return sha256(canonical_json(msgspec.to_builtins(self)))[:16]

    @property
    def contents(self) -> str:
        """What the images are: a preprocessing, ``"masks"`` or ``"lungs"``."""
        return str(self.further.get("preprocessing") or self.further.get("contents", ""))


class ViewFacts(Record, frozen=True):
    """The record of a view: what it was made of, and length and SHA-256 of ``images.npy``."""

    made_of: Recipe
    bytes: Count
    sha256: Sha256


def read_view_facts(folder: Path) -> ViewFacts:
    """The record of the view in a folder.

    Raises:
        RecordError: it is missing, changed, or none.
    """
    todo = "Runs do not use this view; `cxr-bench cache prune` removes it."
    return read_record(folder / FACTS, ViewFacts, todo)


def header(shape: tuple[int, int, int]) -> bytes:
    """What ``images.npy`` begins with."""
    buffer = io.BytesIO()
    described = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(buffer, described)
    return buffer.getvalue()


def visible_problem(folder: Path, recipe: Recipe | None = None) -> str:
    """What is wrong with a view as far as is seen without reading its pixels; empty if nothing.

    Args:
        folder: the view's.
        recipe: what it ought to be made of; None where only its name says it.
    """
    try:
        facts = read_view_facts(folder)
        if facts.made_of.key != folder.name or recipe not in (None, facts.made_of):
            return f"{FACTS} describes another view"
        begins = header(facts.made_of.shape)
        with (folder / IMAGES).open("rb") as file:
            if file.read(len(begins)) != begins:
                return f"{IMAGES} does not hold what {FACTS} says"
        if (folder / IMAGES).stat().st_size != facts.bytes:
            return f"{IMAGES} has the wrong length"
    except RecordError as error:
        return str(error)
    except OSError as error:
        return f"{IMAGES} cannot be read ({error.strerror or error})"
    return ""


def problem(folder: Path, recipe: Recipe | None = None, *, read_again: bool = False) -> str:
    """What is wrong with a view, its pixels included; empty if nothing.

    A file of pixels is read once by a process, and again where its length or time of change is
    another: what alters pixels and leaves both is not seen before the next process.

    Args:
        folder: the view's.
        recipe: what it ought to be made of; None where only its name says it.
        read_again: read the pixels even if this process has.
    """
    if seen := visible_problem(folder, recipe):
        return seen
    try:
        expected = read_view_facts(folder).sha256
        state = (*_state(folder / IMAGES), expected)
        if read_again or state not in _SOUND:
            if sha256_of_file(folder / IMAGES) != expected:
                return f"{IMAGES} has changed"
            _SOUND.add(state)
    except (RecordError, OSError) as error:  # replaced or removed by another process
        return str(error)
    return ""


def _state(path: Path) -> tuple[str | int, ...]:
    facts = path.stat()
    return str(path.absolute()), facts.st_ino, facts.st_size, facts.st_mtime_ns
