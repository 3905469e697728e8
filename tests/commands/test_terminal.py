"""What of a command reaches the terminal, and what goes to the log."""

from __future__ import annotations

import os
import subprocess
import sys

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


def test_a_fault_is_still_seen(tmp_path):
    ended = noisy(tmp_path, "fails")
    assert ended.returncode == 1
    assert "KeyError: 'a fault'" in ended.stderr
    assert "noise" not in ended.stderr


def test_a_log_that_cannot_be_written_is_no_fault(tmp_path):
    (tmp_path / "file").write_text("")
    assert noisy(tmp_path / "file").returncode == 0
