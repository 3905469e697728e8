"""Every benchmark at its smallest size: they are run by hand, and would rot unseen."""

from __future__ import annotations

import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import pytest

from benchmarks import bench
from benchmarks.measure import Measure

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
TINY = {"quick": True, "dataset": "thorax_phantom/small", "data": None, "size": 64, "limit": 100}


@pytest.fixture(scope="module")
def options(tmp_path_factory) -> Namespace:
    """Of `make bench` at its smallest; what one part has prepared, the next one finds."""
    folder = tmp_path_factory.mktemp("bench")
    return Namespace(**TINY, data_dir=folder / "data", cache_dir=folder / "cache")


def run(*command: object) -> str:
    """What a benchmark prints that is a program of its own."""
    done = subprocess.run(
        [sys.executable, *map(str, command)], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("part", bench.parts(Namespace(**TINY, data_dir=None, cache_dir=None)))
def test_every_part_of_the_speed_page_measures_something(part, options):
    measures = bench.parts(options)[part]()
    assert measures
    assert all(each.ours > 0 for each in measures)


def test_the_speed_page_has_its_lines_and_what_scoring_prints():
    measure = Measure("one thing", 2.0, "s", 0.5, 4.0, "another", "<= 1", True)
    page = bench.page([measure], bench.scoring(quick=True))
    assert measure.line in page.splitlines()
    assert "20 rows, again, reading" in page


def test_images_are_prepared_and_a_page_is_written(tmp_path):
    page = tmp_path / "page.md"
    run("-m", "benchmarks.prepare", "--images", 160, "--size", 96, "--out", page)
    assert "| 160 |" in page.read_text()


def test_intervals_are_drawn_and_a_page_is_written(tmp_path):
    page = tmp_path / "page.md"
    grid = ("--auc", 0.8, "--positives", 20, "--images", 2, "--simulations", 5)
    run("benchmarks/coverage.py", *grid, "--out", page)
    assert "| 0.8 | 20 | 2 | **logit, bootstrap variance** |" in page.read_text()


def test_a_killed_suite_ends_with_the_same_files():
    assert "files that differ: none" in run("-m", "benchmarks.kills", "--quick", "--kills", 1)
