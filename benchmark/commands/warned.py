"""Errors, and warnings such as of files that are left out: printed so that nothing in them acts."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

MOST = 20
"""Warnings that are printed; of more only the number."""


class _Printer(logging.Handler):
    """Prints each warning once."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if text not in self.said and len(self.said) < MOST:
            warn(text)
        self.said.add(text)


@contextmanager
def warnings_printed() -> Iterator[None]:
    """Print what this package logs as a warning."""
    log, printer = logging.getLogger("benchmark"), _Printer()
    before, log.propagate = log.propagate, False  # frameworks print what reaches the root
    log.addHandler(printer)
    try:
        yield
    finally:
        log.propagate = before
        log.removeHandler(printer)
        if (more := len(printer.said) - MOST) > 0:
            warn(f"... and {more:,} more warnings of this kind.")


def warn(text: str) -> None:
    """Print a message, which may quote what is in a file, to standard error."""
    from benchmark.report.blocks.lines import window, wrapped
    from benchmark.report.blocks.text import printable

    click.echo(wrapped(printable(text), window(sys.stderr)), err=True)
