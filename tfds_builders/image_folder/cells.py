"""What the cells of a table mean: labels, sex, age, view, boxes."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from tfds_builders.errors import Unreadable, quoted
from tfds_builders.image_folder.names import spelling
from tfds_builders.image_folder.normal import is_normal
from tfds_builders.image_folder.options import NEGATIVE, POSITIVE, Options

Label = tuple[int, int]
"""Finding and labelled, each 0 or 1."""

_PRESENT = {"1", "true", "yes", "positive", "pos", "y", "t", "present"}
_ABSENT = {"0", "false", "no", "negative", "neg", "n", "f", "absent"}
_UNCERTAIN = {"-1", "uncertain", "u", "maybe positive", "equivocal"}
_MISSING = {"", "nan", "na", "n/a", "#n/a", "none", "null", "<na>", "nat"}
_SEXES = {"f": "F", "female": "F", "woman": "F", "w": "F", "m": "M", "male": "M", "man": "M"}
_VIEWS = {
    "pa": "PA", "posteroanterior": "PA", "ap": "AP", "anteroposterior": "AP", "l": "L", "ll": "L",
    "lateral": "L", "lat": "L", "rl": "L", "leftlateral": "L",
}  # fmt: skip
_AGE = re.compile(
    r"0*([0-9]{1,6})(?:[.,][0-9]*)?\s*(y|yr|yrs|years?|m|months?|w|weeks?|d|days?)?", re.I
)
_IN_A_YEAR = {"y": 1, "m": 12, "w": 52, "d": 365}
MOST_YEARS = 120


class Strange(Unreadable):
    """A label that is not understood.

    Attributes:
        column: where it stands.
    """

    def __init__(self, said: str, column: str):
        super().__init__(f"{column} is {quoted(said)}, which is neither 1 nor 0 nor empty")
        self.column = column


def label(said: str, column: str, options: Options) -> Label:
    """What one cell of a finding's column says.

    Raises:
        Strange: nothing that is known.
    """
    word = _word(said)
    if word in _MISSING:
        return 0, int(options.missing == NEGATIVE)
    if word in _UNCERTAIN:
        return int(options.uncertain == POSITIVE), int(options.uncertain in (POSITIVE, NEGATIVE))
    if word not in _PRESENT | _ABSENT:
        raise Strange(said, column)
    return int(word in _PRESENT), 1


def _word(said: str) -> str:
    """A cell in lower case; 1, 0 and -1 however many zeros a spreadsheet put behind them."""
    word = said.strip().casefold()
    number = re.fullmatch("([+-]?)0*([01])(?:[.,]0*)?", word)
    return "-" * (number[1] == "-" and number[2] == "1") + number[2] if number else word


def classes(said: str, separator: str) -> list[str]:
    """The names in a cell: one, several with a separator between, or a list in brackets."""
    said = said.strip()
    if said[:1] + said[-1:] in ("[]", "()", "{}"):
        inner = said[1:-1].strip()
        quoted = re.findall(r"'([^']*)'|\"([^\"]*)\"", inner) if inner[:1] in ("'", '"') else []
        parts = ["".join(pair) for pair in quoted] or re.split("[,;]", inner)
        return [part.strip() for part in parts if part.strip()]
    parts = said.split(separator) if separator else [said]
    return [part.strip() for part in parts if not is_missing(part)]


def is_missing(said: str) -> bool:
    """True for cells that say nothing, also in words."""
    return said.strip().casefold() in _MISSING - {"none"}


def normal(names: Sequence[str], options: Options) -> list[str]:
    """Which names of findings say that there is none."""
    if options.normal_class:
        return [name for name in names if spelling(name) == spelling(options.normal_class)]
    return [name for name in names if is_normal(name)]


def sex(said: str) -> str:
    """``"F"``, ``"M"``, or "" where it says neither."""
    return _SEXES.get(said.strip().casefold(), "")


def view(said: str) -> str:
    """``"PA"``, ``"AP"``, ``"L"``, or the word as it is."""
    said = said.strip()
    return "" if is_missing(said) else _VIEWS.get(spelling(said), said)


def age(said: str) -> int:
    """Whole years from ``58``, ``58.0``, ``058Y`` or ``6 months``; -1 where it says none."""
    match = _AGE.fullmatch(said.strip())
    if not match:
        return -1
    years = int(match[1]) // _IN_A_YEAR[(match[2] or "y")[0].lower()]
    return years if years <= MOST_YEARS else -1


def box(said: Sequence[str], columns: Sequence[str]) -> tuple[float, float, float, float] | None:
    """Left, top, width and height; None where all cells are empty.

    Columns with ``max`` in their name, or that end in 2, are the right and lower edge.

    Raises:
        Unreadable: one is no number, or the box has no area.
    """
    if all(is_missing(each) for each in said):
        return None
    try:
        left, top, width, height = map(float, said)
    except ValueError:
        raise Unreadable(f"the box {', '.join(said)} is not four numbers") from None
    if not all(map(math.isfinite, (left, top, width, height))):
        raise Unreadable(f"the box {', '.join(said)} is not four finite numbers")
    if all("max" in name.casefold() or name.endswith("2") for name in columns[2:]):
        width, height = width - left, height - top
    if not (width > 0 and height > 0 and min(left, top) >= 0):
        raise Unreadable(f"the box {', '.join(said)} has no area, or begins outside")
    return left, top, width, height
