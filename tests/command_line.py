"""The command line, in this process."""

from __future__ import annotations

from click.testing import CliRunner, Result

from benchmark.cli import main


def cxr_bench(*words: object) -> Result:
    """What the program does, called with these words."""
    return CliRunner().invoke(main, [str(word) for word in words])
