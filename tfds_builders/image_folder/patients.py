"""Which images are of one patient: by a pattern in the path, or by a column of a spreadsheet."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import PurePosixPath

from tfds_builders.errors import DatasetError, quoted

ROUNDED = "a spreadsheet rounded a longer number, and different patients may have become one"
A_DATE = "a spreadsheet took an id for a date, and different patients may have become one"
DAMAGED = (ROUNDED, A_DATE)
NOT_FOUND = "the patient pattern is not found in its name or path"
_NUMBER = re.compile(r"0*([0-9]+)(?:[.,]0*)?")
_THOUSANDS = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+")
_SCIENTIFIC = re.compile(r"[+-]?[0-9](?:[.,][0-9]+[eE]\+?|[eE]\+)[0-9]+")
_KEPT_DIGITS = 15
"""Of a number, by spreadsheets: what is behind becomes zeros."""

_LONG = re.compile(rf"0*([1-9][0-9]{{{_KEPT_DIGITS - 1}}}[0-9]+)(?:[.,]0*)?")
_MONTH = "(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
_DATE = re.compile(f"[0-9]{{1,2}}-{_MONTH}(?:-[0-9]{{2,4}})?|{_MONTH}-[0-9]{{2}}", re.IGNORECASE)
_NOBODY = {
    "", "nan", "nat", "na", "n/a", "n.a.", "<na>", "none", "null", "nil", "unknown", "undefined",
    "missing", "not available", "anonymous", "anonymized", "anonymised", "-", "--", "?", "#n/a",
    "#ref!", "#name?", "#value!", "#num!", "#null!", "#div/0!",
}  # fmt: skip


class ByPattern:
    """Finds patients in names by a regular expression with one group.

    It is searched in the file's name or in the whole path below the folder, whichever tells more
    of the files: so a patient may be a folder, and ``^`` may stand for the start of a name.

    Attributes:
        notes: which spellings count as one patient.
    """

    def __init__(self, pattern: re.Pattern | None, names: Iterable[str]):
        self._pattern = pattern
        names = list(names) if pattern else []
        by_name = sum(bool(self._search(PurePosixPath(name).name)) for name in names)
        self._in_name = by_name >= sum(bool(self._search(name)) for name in names)
        self._united, self.notes = united(filter(None, map(self._spelled, names)))

    def __call__(self, name: str) -> str | None:
        """The patient of a file; "" without a pattern, None where it is not found."""
        if self._pattern is None:
            return ""
        spelled = self._spelled(name)
        return None if spelled is None else self._united.get(spelled, spelled)

    def _spelled(self, name: str) -> str | None:
        return self._search(PurePosixPath(name).name if self._in_name else name)

    def reads_folder(self, name: str) -> bool:
        """Whether the patient of a file stands in its folders."""
        if self._pattern is None or self._in_name:
            return False
        name = unicodedata.normalize("NFC", name)
        match = self._pattern.search(name)
        return bool(match and match[1]) and "/" in name[match.start(1) :] if match else False

    def _search(self, text: str) -> str | None:
        text = unicodedata.normalize("NFC", text)
        match = self._pattern.search(text) if self._pattern else None
        return (match[1] or None) if match else None


def refuse_lost(
    kept: Counter[str], lost: Counter[str], pattern: str, column: str = "", *, wholly: bool = False
) -> None:
    """Raise a DatasetError where half or more of a class is left without a patient.

    Args:
        kept, lost: images by class whose patient is found, and is not.
        pattern: as it was given; "" where a column was.
        column: as it was given.
        wholly: take offence only where nothing is left of a class.
    """
    if pattern:
        found = "is found in no file name or path, or in too few,"
        said = f"the patient pattern {quoted(pattern)} {found}"
        hint = " Mend the pattern, e.g. by alternatives: '(person[0-9]+|IM-[0-9]+)'."
    else:
        said, hint = f"column {quoted(column)} names no patient, or too few,", ""
    for name in sorted(lost):
        if lost[name] >= kept[name] and not (wholly and kept[name]):
            told = "; ".join(
                f"{each}: {kept[each]} of {kept[each] + lost[each]}" for each in sorted(kept | lost)
            )
            raise DatasetError(f"image_folder: {said} of {name}. Patients found in {told}.{hint}")


def united(spelled: Iterable[str]) -> tuple[dict[str, str], list[str]]:
    """Ids -> one spelling of each, as people and spreadsheets write 7, 7.0, 007; notes on these.

    To take two patients for one costs a little data; to take one for two lets a split leak.
    """
    same: dict[str, set[str]] = defaultdict(set)
    for each in spelled:
        if not is_nobody(each):
            same[_spelling(each)].add(each)
    several = [sorted(group, key=lambda s: (len(s), s)) for group in same.values()]
    several = [group for group in several if len(group) > 1]
    notes = []
    if several:
        shown = "; ".join(" = ".join(group) for group in several[:3])
        counts = f"count as one patient each, {len(several):,} in all"
        notes = [f"ids that are spelled in several ways {counts}: {shown}"]
    return {each: group[0] for group in several for each in group}, notes


def _spelling(spelled: str) -> str:
    """What spellings of one id have in common: case, Unicode form, zeros in front of numbers."""
    plain = unicodedata.normalize("NFKC", spelled).strip().lstrip("'").casefold()
    if _THOUSANDS.fullmatch(plain):
        plain = plain.replace(",", "")
    if match := _NUMBER.fullmatch(plain):
        return match[1]
    return re.sub("(?<![0-9.])0+(?=[0-9])", "", plain)


def is_nobody(spelled: str) -> bool:
    """True for cells that name no patient."""
    return spelled.casefold() in _NOBODY or set(spelled) == {"#"}


def damaged(spelled: Iterable[str]) -> dict[str, str]:
    """Ids that a spreadsheet made others of, with one of :data:`DAMAGED` that says how."""
    ids = set(spelled)
    found = {each: ROUNDED for each in ids if _SCIENTIFIC.fullmatch(each)}
    found |= {each: A_DATE for each in ids if _DATE.fullmatch(each)}
    long = {each: match[1] for each in ids if (match := _LONG.fullmatch(each))}
    zeros = [each for each, digits in long.items() if not digits[_KEPT_DIGITS:].strip("0")]
    if 2 * len(zeros) > len(long):  # of true numbers one in ten at most
        found |= dict.fromkeys(zeros, ROUNDED)
    return found
