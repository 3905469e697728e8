"""Commands where the system says no, or the terminal knows few letters: sentences, no traces."""

from __future__ import annotations

import errno
import os
import subprocess
import sys

import pytest
from click.testing import CliRunner

from benchmark.cli import main
from benchmark.commands.surroundings import PLAIN

SPEAKS = "from benchmark.commands.surroundings import write_plainly as w; w(); print({text!r})"


@pytest.mark.parametrize("encoding", ["latin-1", "ascii", "cp1252", "utf-8"])
def test_a_terminal_gets_every_text_in_the_letters_that_it_knows(encoding):
    text = "0.70–0.80 ± 0.01 − ≥ … → 肺"
    said = subprocess.run(
        [sys.executable, "-c", SPEAKS.format(text=text)],
        env=os.environ | {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"},
        capture_output=True,
        check=True,
    ).stdout.decode(encoding)
    if encoding == "utf-8":
        assert said.rstrip() == text
    if encoding == "latin-1":
        assert said.rstrip() == "0.70-0.80 ± 0.01 - >= ... -> ?"
    if encoding == "ascii":
        assert said.rstrip() == "0.70-0.80 ? 0.01 - >= ... -> ?"
    assert all(letters.isascii() for letters in PLAIN.values())


@pytest.mark.parametrize(
    "code", [errno.EROFS, errno.ENOSPC, errno.EACCES, errno.ENAMETOOLONG, errno.ESTALE, errno.EIO]
)
@pytest.mark.parametrize(
    "command", ["leaderboard", "show x", "compare x y", "report", "list", "cache ls"]
)
def test_errors_of_the_system_are_sentences_with_the_path(monkeypatch, command, code):
    def refused(*_, **__):
        raise OSError(code, os.strerror(code), "/far/away")

    monkeypatch.setattr("pathlib.Path.glob", refused)
    done = CliRunner().invoke(main, command.split())
    assert done.exit_code == 2, done.output
    assert f"Error: /far/away: {os.strerror(code)}. " in done.stderr


def test_what_a_reader_that_has_gone_leaves_is_no_error(tmp_path):
    """``cxr-bench list | head -1``"""
    command = [sys.executable, "-c", "from benchmark.cli import main; main()", "list"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as done:
        done.stdout.readline()
        done.stdout.close()
        assert b"Traceback" not in done.stderr.read()
