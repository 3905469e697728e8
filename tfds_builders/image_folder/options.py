"""What a person has to say about a set of their own, on the command line or in a file."""

from __future__ import annotations

import difflib
import re
import tomllib
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from tfds_builders.errors import DatasetError

FILE = "image_folder.toml"
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Options:
    """How a set is to be read.

    Attributes:
        csv: table with a row an image, below the manual directory or anywhere; "" for folders
            named like the classes.
        image_column: column of the table with the file names.
        patient_column: column of the table with the patients.
        finding_columns: columns of the table with the findings (1, 0, empty where unlabelled).
        patient_pattern: regular expression, searched in the file name, whose one group is the
            patient.
        patients: ``"unknown"`` to split by image, because nothing is known; else "".
    """

    csv: str = ""
    image_column: str = ""
    patient_column: str = ""
    finding_columns: tuple[str, ...] = ()
    patient_pattern: str = ""
    patients: str = ""

    def check(self) -> None:
        """Raise a DatasetError where the options contradict each other or say too little."""
        if self.csv and not (self.image_column and self.finding_columns):
            raise DatasetError(
                f"image_folder: which columns of {self.csv} are to be read? Name the one with the "
                "file names (--image-column) and those with findings (--finding-columns a,b,c)."
            )
        if not self.csv and (self.image_column or self.patient_column or self.finding_columns):
            raise DatasetError("image_folder: columns are named, but no table: add --csv FILE.")
        if self.patients not in ("", UNKNOWN):
            raise DatasetError(
                f"image_folder: patients can only be said to be {UNKNOWN!r}, not "
                f"{self.patients!r}; a column of the table is given by --patient-column."
            )
        self._check_patients()

    def _check_patients(self) -> None:
        ways = [self.patient_column, self.patient_pattern, self.patients]
        if not any(ways):
            raise DatasetError(
                "image_folder: which images are of one patient? Images of one patient on both "
                "sides of a split make every score too good, so this has to be said. Give one of\n"
                "  --patient-column COLUMN   a column of the table (--csv)\n"
                "  --patient-pattern REGEX   with one group, the patient in the file name, "
                "e.g. '^([0-9]+)_'\n"
                "  --patients unknown        to split by image; every row will say so"
            )
        if sum(map(bool, ways)) > 1:
            raise DatasetError(
                "image_folder: patients are given in more than one way; choose one of "
                "--patient-column, --patient-pattern and --patients unknown."
            )
        if self.patient_pattern:
            self.pattern()

    def pattern(self) -> re.Pattern:
        """The compiled patient pattern.

        Raises:
            DatasetError: it is no regular expression, or has not exactly one group.
        """
        said = f"image_folder: the patient pattern {self.patient_pattern!r}"
        try:
            pattern = re.compile(self.patient_pattern)
        except (re.error, RecursionError, OverflowError) as error:
            raise DatasetError(f"{said} is no regular expression: {error}.") from error
        if pattern.groups != 1:
            raise DatasetError(
                f"{said} has {pattern.groups} groups; it needs one pair of parentheses, around "
                "the patient, e.g. '^([0-9]+)_'. Others can be written (?:...)."
            )
        return pattern

    def published(self) -> dict:
        """The options, JSON-ready, as they may be shown to others: not where the table lies."""
        shown = {"csv": Path(self.csv).name, "finding_columns": list(self.finding_columns)}
        return {**asdict(self), **shown}


def check_name(name: str) -> None:
    """Raise a DatasetError where a set cannot be called so; the name becomes a folder."""
    if not re.fullmatch("[a-z][a-z0-9_]{0,40}", name):
        raise DatasetError(
            f"image_folder: a set cannot be called {name!r}. A name has lower-case letters, digits "
            "and underscores, and starts with a letter, e.g. my_set."
        )


def read_options(folder: Path) -> Options:
    """Options from ``image_folder.toml`` in a folder; none where there is no such file.

    Raises:
        DatasetError: the file is no TOML, or has an unknown key or a value of another type.
    """
    path = Path(folder) / FILE
    if not path.is_file():
        return Options()
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise DatasetError(f"image_folder: {path} cannot be read: {error}.") from error
    known = [field.name for field in fields(Options)]
    for key, value in given.items():
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise DatasetError(
                f"image_folder: {path} has an unknown key {key!r}.{hint} "
                f"Choices: {', '.join(known)}."
            )
        _check_type(path, key, value)
    listed = tuple(given.pop("finding_columns", ()))
    return Options(**given, finding_columns=listed)


def _check_type(path: Path, key: str, value: object) -> None:
    if key == "finding_columns":
        fits = isinstance(value, list) and all(isinstance(item, str) for item in value)
    else:
        fits = isinstance(value, str)
    if not fits:
        wanted = "a list of texts" if key == "finding_columns" else "a text"
        raise DatasetError(f"image_folder: {path}: {key} has to be {wanted}, not {value!r}.")
