"""Strange surroundings: full disks, odd permissions, terminals that know few letters."""

from __future__ import annotations

import codecs
import errno
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from benchmark.errors import UserError
from benchmark.records.disk import told

PLAIN = {"–": "-", "—": "-", "−": "-", "…": "...", "→": "->", "≤": "<=", "≥": ">=", "≈": "~"}
"""What stands for a letter that a terminal does not know; ``?`` for all others."""


@contextmanager
def system_errors_told() -> Iterator[None]:
    """Raise an error of the system as a UserError: a sentence with the path, never a trace."""
    try:
        yield
    except OSError as error:
        if error.errno in (None, errno.EPIPE):  # no error of the system; a reader that has gone
            raise
        raise UserError(told(error)) from error


def write_plainly() -> None:
    """Let standard output take any text: what its encoding does not have is written in others."""
    codecs.register_error("plain", _plain)
    reconfigure = getattr(sys.stdout, "reconfigure", None)  # a test or notebook has its own stream
    if reconfigure and sys.stdout.errors == "strict":
        reconfigure(errors="plain")


def _plain(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    letters = error.object[error.start : error.end]
    return "".join(PLAIN.get(letter, "?") for letter in letters), error.end
