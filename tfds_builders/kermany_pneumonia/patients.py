"""What a published file name says, and which files belong to one patient."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_NORMAL, _BACTERIAL, _VIRAL = "normal", "bacterial", "viral"
_PATTERNS = (
    # Kaggle: IM-0115-0001, NORMAL2-IM-0012-0001-0002
    (re.compile(r"(?:NORMAL[0-9]*-)?(?P<patient>IM-[0-9]+)(-[0-9]+)*(?P<cause>)"), {"": _NORMAL}),
    # Kaggle: person1_bacteria_2, person1469_virus_2547
    (
        re.compile(r"(?P<patient>person[0-9]+)_(?P<cause>bacteria|virus)(_[0-9]+)*"),
        {"bacteria": _BACTERIAL, "virus": _VIRAL},
    ),
    # Mendeley: NORMAL-1049278-0001, BACTERIA-1008087-0001
    (
        re.compile(r"(?P<cause>NORMAL|BACTERIA|VIRUS)-(?P<patient>[0-9]+)(-[0-9]+)*"),
        {"NORMAL": _NORMAL, "BACTERIA": _BACTERIAL, "VIRUS": _VIRAL},
    ),
)


class UnexpectedName(Exception):
    """A file name that is not one of the published kinds; the text says why."""


@dataclass(frozen=True)
class Named:
    """What the name of one image says.

    Attributes:
        pool: ``"train"``, ``"val"`` or ``"test"``, the published folder.
        patient: patient number, prefix and suffix dropped.
        cause: ``"normal"``, ``"bacterial"`` or ``"viral"``.
    """

    pool: str
    patient: str
    cause: str

    @property
    def pneumonia(self) -> bool:
        """True for the images of the folder PNEUMONIA."""
        return self.cause != _NORMAL


def parse(name: str) -> Named:
    """Read ``pool/CLASS/file.jpeg``.

    Raises:
        UnexpectedName: another depth, another class, a file name that gives no patient number,
            or one that contradicts the folder it lies in.
    """
    parts = name.split("/")
    if len(parts) != 3 or parts[1] not in ("NORMAL", "PNEUMONIA"):
        raise UnexpectedName("not in a NORMAL or PNEUMONIA folder")
    pool, folder, file = parts
    stem, _, extension = file.rpartition(".")
    for pattern, causes in _PATTERNS:
        match = pattern.fullmatch(stem) if re.fullmatch("[A-Za-z]+", extension) else None
        if match:
            named = Named(pool, match["patient"], causes[match["cause"]])
            if named.pneumonia != (folder == "PNEUMONIA"):
                raise UnexpectedName(f"named as {named.cause}, but lies in {folder}")
            return named
    raise UnexpectedName("name gives no patient number")


def merge(patients: Mapping[str, str], identical: Iterable[Iterable[str]]) -> dict[str, str]:
    """Patient group of each file: the same number or, through any chain, identical bytes.

    Args:
        patients: file name to patient number.
        identical: groups of files with identical bytes.

    Returns:
        File name to group, which is named after the first of its numbers in text order.
    """
    leader = {patient: patient for patient in patients.values()}

    def find(patient: str) -> str:
        while leader[patient] != patient:
            patient = leader[patient]
        return patient

    for group in identical:
        roots = sorted({find(patients[name]) for name in group})
        for root in roots[1:]:
            leader[root] = roots[0]
    return {name: find(patient) for name, patient in patients.items()}
