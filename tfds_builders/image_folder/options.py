"""What a person has to say about a set of their own, on the command line or in a file."""

from __future__ import annotations

import difflib
import math
import re
import tomllib
import unicodedata
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from tfds_builders.encodings import NoText, utf8_text
from tfds_builders.errors import DatasetError, quoted
from tfds_builders.image_folder.contents import check_findings
from tfds_builders.image_folder.pools import parse
from tfds_builders.splits import SPLITS

FILE = "image_folder.toml"
UNKNOWN = "unknown"
HEADER = "header"
IGNORE, POSITIVE, NEGATIVE = "ignore", "positive", "negative"
_COLUMNS = (
    "image_column", "patient_column", "finding_columns", "class_column", "split_column",
    "sex_column", "age_column", "view_column", "box_columns",
)  # fmt: skip
_ONE_OF = (
    ("patient_column", "patient_pattern", "patients"),
    ("finding_columns", "class_column"),
    ("resplit", "keep_split"),
)
_ALWAYS_SHOWN = 6  # what earlier versions published, in every set


@dataclass(frozen=True)
class Options:
    """How a set is to be read.

    Attributes:
        csv: table with a row an image, below the manual directory or anywhere; "" for folders
            named like the classes.
        image_column: column of the table with the file names.
        patient_column: column of the table with the patients.
        finding_columns: columns of the table with the findings (1, 0, empty where unlabelled).
        patient_pattern: regular expression, searched in the file name or its path, whose one
            group is the patient.
        patients: ``"unknown"`` to split by image, because nothing is known; ``"header"`` where
            DICOM files say it; else "".
        class_column: column with the names of classes or findings, in place of finding columns.
        label_separator: what stands between several of them in one cell.
        uncertain: what labels of -1 or "uncertain" count as: ``"ignore"`` (unlabelled, also ""),
            ``"positive"`` or ``"negative"``.
        missing: what empty labels count as: ``"ignore"`` (unlabelled, also "") or ``"negative"``.
        split_column, sex_column, age_column, view_column: of the table.
        box_columns: left, top, width and height in pixels, of a row a box.
        within: sub-folder of the class folders that holds the radiographs, ``"."`` for the class
            folder itself, ``"*"`` for all.
        splits: folders or cells that mean splits, ``"train=A,validation=B,test=C"``.
        normal_class: the class that means normal, ``"none"`` where there is none.
        split_fractions: shares of train, validation and test, ``"70,10,20"`` (also "").
        split_seed: another number is another split.
        resplit: leave the set's own split aside.
        keep_split: the set's own split is meant, even where it leaks.
    """

    csv: str = ""
    image_column: str = ""
    patient_column: str = ""
    finding_columns: tuple[str, ...] = ()
    patient_pattern: str = ""
    patients: str = ""
    class_column: str = ""
    label_separator: str = ""
    uncertain: str = ""
    missing: str = ""
    split_column: str = ""
    sex_column: str = ""
    age_column: str = ""
    view_column: str = ""
    box_columns: tuple[str, ...] = ()
    within: str = ""
    splits: str = ""
    normal_class: str = ""
    split_fractions: str = ""
    split_seed: int = 0
    resplit: bool = False
    keep_split: bool = False

    def but(self, **said: Any) -> Options:
        """These, but for what is said, which also takes the place of what it excludes."""
        excluded = {
            name: Options.__dataclass_fields__[name].default
            for names in _ONE_OF
            if said.keys() & set(names)
            for name in names
        }
        return replace(self, **{**excluded, **said})

    def check(self) -> None:
        """Raise a DatasetError where the options contradict each other or say too little."""
        labels = self.finding_columns or self.class_column
        if self.csv and not (self.image_column and labels):
            raise DatasetError(
                f"image_folder: which columns of {self.csv} are to be read? Name the one with the "
                "file names (--image-column) and those with findings (--finding-columns a,b,c), or "
                "the one with names of classes (--class-column)."
            )
        if self.finding_columns and self.class_column:
            raise DatasetError(
                "image_folder: give either --finding-columns (1 or 0) or --class-column (names)."
            )
        if not self.csv and any(getattr(self, column) for column in _COLUMNS):
            raise DatasetError("image_folder: columns are named, but no table: add --csv FILE.")
        if self.label_separator and not self.class_column:
            raise DatasetError("image_folder: --label-separator goes with --class-column.")
        if self.csv and self.within:
            raise DatasetError("image_folder: --within goes with class folders, not with a table.")
        if self.csv and self.splits and not self.split_column:
            raise DatasetError("image_folder: --splits goes with --split-column, or with folders.")
        if self.box_columns and len(self.box_columns) != 4:
            raise DatasetError("image_folder: --box-columns needs four: left,top,width,height.")
        check_findings(self.finding_columns)
        _choose("uncertain", self.uncertain, ("", IGNORE, POSITIVE, NEGATIVE))
        _choose("missing", self.missing, ("", IGNORE, NEGATIVE))
        if self.resplit and self.keep_split:
            raise DatasetError("image_folder: --resplit and --keep-split contradict each other.")
        parse(self.splits)
        self.fractions()
        self._check_patients()

    def _check_patients(self) -> None:
        if self.patients not in ("", UNKNOWN, HEADER):
            raise DatasetError(
                f"image_folder: patients can only be said to be {UNKNOWN!r} or {HEADER!r}, not "
                f"{quoted(self.patients)}; a column of the table is given by --patient-column."
            )
        ways = [self.patient_column, self.patient_pattern, self.patients]
        if not any(ways):
            raise DatasetError(
                "image_folder: which images are of one patient? Images of one patient on both "
                "sides of a split make every score too good, so this has to be said. Give one of\n"
                "  --patient-column COLUMN   a column of the table (--csv)\n"
                "  --patient-pattern REGEX   with one group, the patient in the file name or its "
                "path, e.g. '^([0-9]+)_' or 'patient([0-9]+)/'\n"
                "  --patients header         as DICOM files say\n"
                "  --patients unknown        to split by image; every row will say so"
            )
        if sum(map(bool, ways)) > 1:
            raise DatasetError(
                "image_folder: patients are given in more than one way; choose one of "
                "--patient-column, --patient-pattern and --patients."
            )
        if self.patient_pattern:
            self.pattern()

    def pattern(self) -> re.Pattern:
        """The compiled patient pattern.

        Raises:
            DatasetError: it is no regular expression, or has not exactly one group.
        """
        said = f"image_folder: the patient pattern {quoted(self.patient_pattern)}"
        try:
            pattern = re.compile(unicodedata.normalize("NFC", self.patient_pattern))
        except (re.error, RecursionError, OverflowError) as error:
            raise DatasetError(f"{said} is no regular expression: {error}.") from error
        if pattern.groups != 1:
            raise DatasetError(
                f"{said} has {pattern.groups} groups; it needs one pair of parentheses, around "
                "the patient, e.g. '^([0-9]+)_'. Others can be written (?:...)."
            )
        return pattern

    def fractions(self) -> dict[str, float]:
        """Split -> share of the patients, adding up to one.

        Raises:
            DatasetError: they are not three positive numbers that make 1 or 100.
        """
        said = self.split_fractions or "70,10,20"
        try:
            shares = [float(part) for part in re.split("[,/:]", said)]
        except ValueError:
            shares = []
        total = sum(shares)
        if len(shares) != 3 or not all(s > 0 for s in shares) or not _is_whole(total):
            raise DatasetError(
                f"image_folder: --split-fractions {quoted(said)} has to be three positive numbers "
                "that add up to 100 (or 1): train,validation,test, e.g. 70,10,20."
            )
        return {split: share / total for split, share in zip(SPLITS, shares, strict=True)}

    def published(self) -> dict:
        """The options, JSON-ready, as they may be shown to others: not where the table lies.

        What was not said and no earlier version could say is left out.
        """
        said = asdict(self)
        shown = {
            field.name: said[field.name]
            for number, field in enumerate(fields(self))
            if number < _ALWAYS_SHOWN or said[field.name] != field.default
        }
        lists = {key: list(value) for key, value in shown.items() if isinstance(value, tuple)}
        return {**shown, **lists, "csv": Path(self.csv).name}


def _is_whole(total: float) -> bool:
    return any(math.isclose(total, whole, rel_tol=1e-3) for whole in (1, 100))


def _choose(option: str, said: str, choices: tuple[str, ...]) -> None:
    if said not in choices:
        raise DatasetError(
            f"image_folder: --{option} is {', '.join(filter(None, choices))}, not {quoted(said)}."
        )


def check_name(name: str) -> None:
    """Raise a DatasetError where a set cannot be called so; the name becomes a folder."""
    if not re.fullmatch("[a-z][a-z0-9_]{0,40}", name):
        plain = unicodedata.normalize("NFKD", name.casefold()).encode("ascii", "ignore").decode()
        near = re.sub("[^a-z0-9]+", "_", plain).strip("_")
        near = near if near[:1].isalpha() else f"set_{near}".rstrip("_")
        raise DatasetError(
            f"image_folder: a set cannot be called {quoted(name[:80])}. A name has lower-case "
            "letters, digits and underscores, starts with a letter and has at most 41 characters; "
            f"for instance {near[:41]}."
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
        given = tomllib.loads(utf8_text(path.read_bytes()))
    except NoText as error:
        raise DatasetError(f"image_folder: {path} is {error}.") from error
    except (OSError, ValueError, RecursionError) as error:  # no TOML, an endless number
        raise DatasetError(f"image_folder: {path} cannot be read: {error}.") from error
    defaults = {field.name: field.default for field in fields(Options)}
    for key, value in given.items():
        if key not in defaults:
            near = difflib.get_close_matches(key, defaults, n=1)
            hint = f" Did you mean {quoted(near[0])}?" if near else ""
            raise DatasetError(
                f"image_folder: {path} has an unknown key {quoted(key)}.{hint} "
                f"Choices: {', '.join(defaults)}."
            )
        given[key] = _of_type(path, key, value, defaults[key])
    return Options(**given)


def _of_type(path: Path, key: str, value: object, default: object) -> object:
    if isinstance(default, tuple):
        fits = isinstance(value, list) and all(isinstance(item, str) for item in value)
        wanted = "a list of texts"
    else:
        fits = type(value) is type(default)
        wanted = {bool: "true or false", int: "a whole number"}.get(type(default), "a text")
    if not fits:
        raise DatasetError(f"image_folder: {path}: {key} has to be {wanted}, not {value!r}.")
    return tuple(value) if isinstance(value, list) else value
