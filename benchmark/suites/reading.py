"""The TOML of a suite file as plain values, and what is wrong said of the file."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from typing import Any, TypeVar

from benchmark.errors import UserError

LARGEST = 2**63 - 1
"""Of what TOML promises as a whole number; a larger one is no float, or too long to be printed."""
DEEPEST = 8
"""Tables and lists in one another; a suite has four."""
Found = TypeVar("Found")


def read_toml(where: object, text: str) -> dict[str, Any]:
    """The values of a TOML text.

    Args:
        where: the text stands, for messages.

    Raises:
        UserError: it is no TOML, or holds a number or a nesting that can mean nothing.
    """
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{where}: {error}") from None
    except ValueError:  # of Python, which turns no text of thousands of digits into a number
        raise UserError(f"{where}: {_too_large('a whole number')}") from None
    except RecursionError:
        raise UserError(f"{where}: {_too_deep('something')}") from None
    _check(where, content, ())
    return content


def said_of(where: object, check: Callable[..., Found], *values: Any) -> Found:
    """What a check of values gives; a UserError that it raises is said of the file."""
    try:
        return check(*values)
    except UserError as error:
        raise UserError(f"{where}: {error}") from None


def _check(where: object, value: Any, path: tuple[str, ...]) -> None:
    if len(path) > DEEPEST:
        raise UserError(f"{where}: {_too_deep('.'.join(path[:2]))}")
    if type(value) is int and abs(value) > LARGEST:
        raise UserError(f"{where}: {_too_large('.'.join(path))}")
    inner = enumerate(value, 1) if isinstance(value, list) else ()
    for key, each in value.items() if isinstance(value, dict) else inner:
        _check(where, each, (*path, str(key)))


def _too_large(what: str) -> str:
    return f"{what} is beyond {LARGEST}, the largest whole number of TOML; write a smaller one"


def _too_deep(what: str) -> str:
    return f"{what} is a table or list with others in it, more than {DEEPEST} deep; take some out"
