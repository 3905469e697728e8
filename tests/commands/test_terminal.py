"""What of a command reaches the terminal, and what goes to the log."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from contextlib import suppress

import pytest
from click.testing import CliRunner

from benchmark.cli import main

SCRIPT = """
import os, sys
import click
from benchmark import cli

@cli.main.command("noisy")
def noisy():
    os.write(2, b"noise of a library\\n")
    click.echo("said", err=True)
    print("told", file=sys.stderr)
    if len(sys.argv) > 2:
        raise KeyError("a fault")

cli.main(args=["noisy"])
"""


def noisy(cache, *words) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-c", SCRIPT, "noisy", *words], capture_output=True, text=True,
        check=False, env=os.environ | {"CXR_BENCH_CACHE": str(cache)},
    )  # fmt: skip


def test_what_libraries_print_goes_to_the_log(tmp_path):
    ended = noisy(tmp_path)
    assert (ended.returncode, ended.stderr) == (0, "said\ntold\n")
    assert (tmp_path / "logs" / "libraries.log").read_text() == "noise of a library\n"
    noisy(tmp_path)
    assert (tmp_path / "logs" / "libraries.log").read_text().count("noise") == 2


@pytest.mark.parametrize(("variable", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_colours_are_left_out_when_asked(monkeypatch, variable, coloured):
    for name, value in variable.items():
        monkeypatch.setenv(name, value)
    shown = CliRunner().invoke(main, ["list", "suites"], color=True).output
    assert ("\033[" in shown) == coloured


def test_a_list_is_as_wide_as_the_terminal_and_whole_elsewhere():
    assert max(map(len, CliRunner().invoke(main, ["list"]).output.splitlines())) > 100
    assert max(map(len, in_terminal(80, "list").splitlines())) <= 80


def in_terminal(columns: int, *words: str) -> str:
    """What a command prints in a window of 24 lines, without what only moves the cursor."""
    window, inside = pty.openpty()
    fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    running = subprocess.Popen(
        [sys.executable, "-m", "benchmark", *words],
        stdin=inside, stdout=inside, stderr=inside, env=environment,
    )  # fmt: skip
    os.close(inside)
    text = b""
    with suppress(OSError):  # Linux says so when the other end is closed
        while more := os.read(window, 1 << 16):
            text += more
    os.close(window)
    running.wait()
    return re.sub(r"\033\[[0-9;]*[A-Za-z]", "", text.decode()).replace("\r", "\n")


def test_a_fault_is_still_seen(tmp_path):
    ended = noisy(tmp_path, "fails")
    assert ended.returncode == 1
    assert "KeyError: 'a fault'" in ended.stderr
    assert "noise" not in ended.stderr


def test_a_log_that_cannot_be_written_is_no_fault(tmp_path):
    (tmp_path / "file").write_text("")
    assert noisy(tmp_path / "file").returncode == 0


@pytest.mark.slow
def test_a_run_in_a_small_window_breaks_no_line_and_ends_with_its_tables(tmp_path, monkeypatch):
    """A set is made, three specs are trained side by side, and the top of their table is shown."""
    asked = ("--dataset", "thorax_phantom/small", "--models", "constant,linear", "--sizes", "32")
    monkeypatch.chdir(tmp_path)
    folders = [f"--{name}={name[0]}" for name in ("data-dir", "cache-dir", "results")]
    shown = in_terminal(80, "run", *asked, "--seeds", "0,1", "--jobs", "2", *folders)
    lines = [line for line in shown.splitlines() if line.strip()]
    assert [line for line in lines if len(line) > 80] == []
    ours = re.compile(r"(\[\d/\d\]|Making|Specs|Ended|Leaderboard|As a site|thorax| )")
    assert len([line for line in lines if not ours.match(line)]) <= 3, shown
    assert "Configuration" in lines[-5]
    assert lines[-2].startswith("Leaderboard: ")
