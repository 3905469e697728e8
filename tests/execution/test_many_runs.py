"""Several runs on one results folder, one of them killed: no spec twice, none lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmark.records.store import Results
from tests.execution.one_run import SEEDS

ROOT = Path(__file__).parents[2]
RUN = ROOT / "tests/execution/one_run.py"
NO_LOCKS = "import errno, fcntl\ndef no(*_): raise OSError(errno.ENOLCK, 'No locks available')\n"
LOCKS_DO_NOTHING = "import fcntl\ndef no(*_): return 0\n"
INSTEAD = "fcntl.flock = fcntl.lockf = fcntl.fcntl = no\n"
"""As on NFS without its lock daemon, and where each host has locks of its own."""


def start(phantom, tmp_path, slots=1, site=""):
    (tmp_path / "site").mkdir(exist_ok=True)
    (tmp_path / "site/sitecustomize.py").write_text(site)
    path = os.pathsep.join(map(str, (tmp_path / "site", ROOT)))
    arguments = [phantom[1], tmp_path / "results", slots, tmp_path / "log"]
    return subprocess.Popen(
        [sys.executable, RUN, *map(str, arguments)],
        env=os.environ | {"PYTHONPATH": path, "PYTHONFAULTHANDLER": "1"},
        stderr=subprocess.PIPE,
    )


def notes(tmp_path, what):
    path = tmp_path / "log"
    lines = path.read_text().splitlines() if path.is_file() else []
    return [line.split()[1:] for line in lines if line.startswith(what)]


@pytest.mark.parametrize(
    ("n", "site"),
    [(4, ""), (2, NO_LOCKS + INSTEAD), (2, LOCKS_DO_NOTHING + INSTEAD)],
    ids=["locks", "no locks", "locks do nothing"],
)
def test_runs_share_the_work_and_one_that_is_killed_leaves_no_spec_behind(
    phantom, tmp_path, n, site
):
    runs = [start(phantom, tmp_path, slots=2, site=site) for _ in range(n)]
    while not (began := notes(tmp_path, "began")):
        assert all(run.poll() is None for run in runs)
        time.sleep(0.005)
    (victim,) = (run for run in runs if str(run.pid) == began[0][1])
    victim.send_signal(signal.SIGKILL)
    told = [run.communicate()[1].decode() for run in runs]
    assert [run.returncode for run in runs if run is not victim] == [0] * (n - 1), told
    assert victim.returncode == -signal.SIGKILL
    done = [spec_id for spec_id, _ in notes(tmp_path, "did")]
    assert len(done) == len(set(done)), "none twice"
    rows = list(Results(tmp_path / "results").rows())
    assert len(rows) == 2 * len(SEEDS), "none lost"
    held = [path for path in (tmp_path / "results/claims").iterdir() if path.name[0] != "."]
    assert held == []
