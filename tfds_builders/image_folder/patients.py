"""Which images are of one patient: by a pattern in the path, or by a column of a spreadsheet."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import PurePosixPath

from tfds_builders.errors import DatasetError

ROUNDED = "a spreadsheet rounded a longer number, and different patients may have become one"
NOT_FOUND = "the patient pattern is not found in its name or path"
_NUMBER = re.compile(r"0*([0-9]+)(?:\.0*)?")
_ROUNDED = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)?[eE]\+?[0-9]+")
_NOBODY = {"", "nan", "na", "n/a", "none", "null", "unknown", "anonymous", "-", "?", "#n/a"}


class ByPattern:
    """Finds patients in names by a regular expression with one group.

    It is searched in the file's name or in the whole path below the folder, whichever tells more
    of the files: so a patient may be a folder, and ``^`` may stand for the start of a name.
    """

    def __init__(self, pattern: re.Pattern | None, names: Iterable[str]):
        self._pattern = pattern
        names = list(names) if pattern else []
        by_name = sum(bool(self._search(PurePosixPath(name).name)) for name in names)
        self._in_name = by_name >= sum(bool(self._search(name)) for name in names)

    def __call__(self, name: str) -> str | None:
        """The patient of a file; "" without a pattern, None where it is not found."""
        if self._pattern is None:
            return ""
        return self._search(PurePosixPath(name).name if self._in_name else name)

    def reads_folder(self, name: str) -> bool:
        """Whether the patient of a file stands in its folders."""
        if self._pattern is None or self._in_name:
            return False
        match = self._pattern.search(name)
        return bool(match and match[1]) and "/" in name[match.start(1) :] if match else False

    def _search(self, text: str) -> str | None:
        match = self._pattern.search(text) if self._pattern else None
        return (match[1] or None) if match else None


def refuse_lost(kept: Counter[str], lost: Counter[str], pattern: str) -> None:
    """Raise a DatasetError where a pattern leaves half or more of a class without a patient.

    Args:
        kept, lost: images by class whose patient is found, and is not.
        pattern: as it was given.
    """
    for name in sorted(lost):
        if lost[name] >= kept[name]:
            told = "; ".join(
                f"{each}: {kept[each]} of {kept[each] + lost[each]}" for each in sorted(kept | lost)
            )
            raise DatasetError(
                f"image_folder: the patient pattern {pattern!r} is found in no file name or path, "
                f"or in too few, of {name}. Patients found in {told}. Mend the pattern, e.g. by "
                "alternatives: '(person[0-9]+|IM-[0-9]+)'."
            )


def united(spelled: Iterable[str]) -> tuple[dict[str, str], list[str]]:
    """Ids -> one spelling of each number, as spreadsheets write 7, 7.0 and 007; notes on these."""
    numbers: dict[str, set[str]] = defaultdict(set)
    for each in spelled:
        if match := _NUMBER.fullmatch(each):
            numbers[match[1]].add(each)
    several = [sorted(group, key=lambda s: (len(s), s)) for group in numbers.values()]
    several = [group for group in several if len(group) > 1]
    notes = []
    if several:
        shown = "; ".join(" = ".join(group) for group in several[:3])
        notes = [f"{len(several)} patients are spelled in several ways and taken for one: {shown}"]
    return {each: group[0] for group in several for each in group}, notes


def is_nobody(spelled: str) -> bool:
    """True for cells that name no patient."""
    return spelled.casefold() in _NOBODY


def is_rounded(spelled: str) -> bool:
    """True for a number in scientific notation: a spreadsheet rounded a longer one."""
    return bool(_ROUNDED.fullmatch(spelled))
