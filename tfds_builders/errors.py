"""Errors of the data sets, meant for the person at the keyboard."""

from __future__ import annotations


class DatasetError(Exception):
    """A data set cannot be used as it is; the text says what is wrong, where, and what to do."""


class LayoutError(DatasetError):
    """The folder given does not hold the files of the data set in a layout that is known.

    Args:
        dataset: name of the builder.
        problem: what is wrong, with the path, in one sentence.
        expected: the tree that would have been understood.
        found: names of what lies there instead; a long list is cut.
    """

    def __init__(self, dataset: str, problem: str, expected: str, found: list[str]):
        shown = sorted(found)[:12]
        more = f" ... and {len(found) - len(shown)} more" if len(found) > len(shown) else ""
        listed = ", ".join(shown) + more if shown else "nothing"
        super().__init__(
            f"{dataset}: {problem}\nExpected one of these trees:\n{expected.rstrip()}\n"
            f"Found there: {listed}."
        )


def last_line(error: Exception) -> str:
    """What an error of somebody else's code says at its end; its kind where it says nothing."""
    *_, said = str(error).strip().splitlines() or [type(error).__name__]
    return said


def quoted(text: object) -> str:
    """What a person typed, in quotes, with its backslashes as typed; the unprintable is escaped."""
    return repr(text).replace("\\\\", "\\")


class Unreadable(DatasetError):
    """One file or member of an archive that cannot be read; the text says why."""
