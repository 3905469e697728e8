"""An executor is one file: ``--executor`` finds it by its name."""

from __future__ import annotations

import sys

import pytest
from click.testing import CliRunner

from benchmark.cli import main
from benchmark.records.store import Results
from benchmark.scheduling import executors

FILE = '''
"""A slot in the process that asks for it, and a note of that."""

from pathlib import Path

from tests.execution.conftest import ENVIRONMENT
from tests.execution.here import Here


def open_executor(asked):
    Path(__file__).with_suffix(".txt").write_text(str(asked.jobs))
    return Here(asked.folders, ENVIRONMENT)
'''


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder that executors are found in, with ``mine.py``."""
    (tmp_path / "mine.py").write_text(FILE)
    monkeypatch.setattr(executors, "__path__", [*executors.__path__, str(tmp_path)])
    yield tmp_path
    sys.modules.pop(f"{executors.__name__}.mine", None)


def run(phantom, results, name):
    _, data_dir, cache_dir = phantom
    folders = {"--data-dir": data_dir, "--cache-dir": cache_dir, "--results": results}
    words = [str(word) for option in folders.items() for word in option]
    matrix = ["--models", "constant", "--sizes", "32", "--dataset", "thorax_phantom/small"]
    return CliRunner().invoke(main, ["run", *matrix, "--jobs", "1", "--executor", name, *words])


def test_its_slots_run_what_is_planned(folder, phantom, tmp_path):
    told = run(phantom, tmp_path / "results", "mine")
    assert told.exit_code == 0, told.output
    assert [row.status for row in Results(tmp_path / "results").rows()] == ["done"]
    assert (folder / "mine.txt").read_text() == "1"


def test_another_name_is_told_of_it(folder, phantom, tmp_path):
    told = run(phantom, tmp_path / "results", "min")
    assert told.exit_code == 2
    assert "'mine'" in told.output
