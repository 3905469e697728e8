"""Texts in CSV files: none of them is taken for a formula by a spreadsheet, and none is lost.

A text that begins as a formula does gets an apostrophe in front, as OWASP advises
(https://owasp.org/www-community/attacks/CSV_Injection), unless it is a number; what is read back
loses it again. One that begins with apostrophes before such a sign gets another, so that no two
texts become one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pandas import DataFrame

_FORMULA = re.compile(r"'*[=+\-@＝＋－＠\t\r\n]")
"""How one begins; programs for Asian scripts take the wide signs, too."""
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")


def escaped(value: Any) -> Any:
    """What stands in a file for a value; all but texts are as they are."""
    if not isinstance(value, str) or not _FORMULA.match(value) or _NUMBER.fullmatch(value):
        return value
    return f"'{value}"


def unescaped(value: Any) -> Any:
    """The text that :func:`escaped` made this of, or that was written as it is."""
    is_one = isinstance(value, str) and value.startswith("'") and _FORMULA.match(value)
    return value[1:] if is_one else value


def csv_text(frame: DataFrame, float_format: str | None = None) -> str:
    """A table as CSV, the texts in its cells escaped."""
    safe = _texts(frame, escaped)
    return safe.to_csv(index=False, float_format=float_format, lineterminator="\n")


def read_back(frame: DataFrame) -> DataFrame:
    """A table that was read from such a CSV, with its texts as they were."""
    return _texts(frame, unescaped)


def _texts(frame: DataFrame, change: Callable[[Any], Any]) -> DataFrame:
    texts = (name for name, column in frame.items() if column.dtype.kind == "O")
    return frame.assign(**{str(name): frame[name].map(change) for name in texts})
