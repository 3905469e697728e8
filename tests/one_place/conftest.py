"""The packages as if cloned and added to, and a run of all that was added."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from benchmark.records.row import Row
from benchmark.records.store import Results
from tests.one_place.added import ADDED

ROOT = Path(__file__).parents[2]
RUN = "import sys; from benchmark.cli import main; main(sys.argv[1:])"


class House:
    """A folder that holds the packages and what was added to them."""

    def __init__(self, root: Path):
        self.root = root
        for package in ("benchmark", "tfds_builders"):
            unwanted = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / package, root / package, ignore=unwanted)
        for place, text in ADDED.items():
            (root / place).parent.mkdir(exist_ok=True)
            (root / place).write_text(text)

    def python(self, *arguments: str, given: str = "") -> str:
        """What Python says there, where its packages come before the installed ones."""
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=self.root,
            env=os.environ | {"PYTHONPATH": str(self.root)},
            input=given,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def cxr_bench(self, *arguments: str) -> str:
        return self.python("-c", RUN, *arguments)


@pytest.fixture(scope="session")
def house(tmp_path_factory) -> House:
    return House(tmp_path_factory.mktemp("house"))


@pytest.fixture(scope="session")
def results(house) -> Results:
    """Of the suite that uses everything that was added."""
    folders = ["--data-dir", "data", "--cache-dir", "cache", "--results", "results"]
    house.cxr_bench("run", "--suite", "added", *folders)
    return Results(house.root / "results")


@pytest.fixture(scope="session")
def rows(results) -> dict[str, Row]:
    """Rows by model."""
    return {row.spec.model: row for row in results.rows()}
