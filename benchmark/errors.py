"""Errors meant for the person at the keyboard: they are shown as one message, never as a trace."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable

TYPES = {"str": "text", "int": "a whole number", "float": "a number", "bool": "true or false",
         "array": "a list", "object": "a table", "null": "nothing"}  # fmt: skip
"""Types in words, by their names in Python and in what msgspec says."""
_NEAREST = 4
"""Names that hold the one given and are suggested for it."""


class UserError(Exception):
    """Something the user can put right; the text says what is wrong, where, and what to do."""


class UnknownName(UserError):
    """A name that is not among the choices; lists them and suggests the nearest.

    Args:
        kind: what sort of thing was named, e.g. ``"model"``.
        name: the name as given.
        choices: every name that would have been understood.
        remedy: what else to do, a sentence.
        all_by: the command that lists all choices, where those given are some of them.
    """

    def __init__(
        self,
        kind: str,
        name: str,
        choices: Iterable[str],
        remedy: str = "",
        *,
        all_by: str = "",
    ):
        choices = sorted(choices, key=lambda c: (int(c) if c.isdecimal() else -1, c))
        near = difflib.get_close_matches(name, choices, n=1, cutoff=0.5)
        near = near or [choice for choice in choices if name and name in choice][:_NEAREST]
        hint = f" Did you mean {' or '.join(map(quoted, near))}?" if near else ""
        listed = ", ".join(choices) if choices else "none"
        told = f"{hint} {remedy}" if remedy else hint
        if all_by:
            some = "" if near == choices else f" There are, among others: {listed}."
            ending = f"{some} All there are: {all_by}."
        else:
            ending = f" Choices: {listed}."
        super().__init__(f"unknown {kind} {quoted(name)}.{told}{ending}")


class UnknownModel(UnknownName):
    """A model that has no file, as far as is known; says how those of one's own are found."""

    def __init__(self, kind: str, name: str, choices: Iterable[str]):
        super().__init__(kind, name, choices, "The folder of a file of your own: --models-dir.")


def check_names(kind: str, names: Iterable[str], choices: Collection[str]) -> None:
    """Raise an :class:`UnknownName` for the first of these names that is none of the choices."""
    for name in names:
        if name not in choices:
            raise UnknownName(kind, name, choices)


def in_toml(value: object) -> str:
    """A value of a TOML file about as it stands there."""
    if isinstance(value, list):
        return f"[{', '.join(map(in_toml, value))}]"
    if isinstance(value, bool):
        return str(value).lower()
    return quoted(value) if isinstance(value, str) else str(value)


def quoted(text: object) -> str:
    """What a person typed, in quotes, with its backslashes as typed; the unprintable is escaped."""
    return repr(text).replace("\\\\", "\\")
