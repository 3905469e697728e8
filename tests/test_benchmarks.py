"""Every benchmark at its smallest size: they are run by hand, and would rot unseen."""

from __future__ import annotations

import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest

from benchmark.scoring import influence
from benchmark.scoring.ranking import Entry, Seed, compare
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


OF_ITS_OWN = """
title = "Two sizes"
description = "And a spec that is made from the masks of another."
recipe = "reference"
[matrix]
datasets = ["thorax_phantom/small"]
models = ["constant", "mlp"]
resolutions = [16, 32]
seeds = [0, 1]
[[matrix_for.mlp]]

[[matrix_for.mlp]]
resolutions = [16]
preprocessing = ["equalise", "lung_masked"]
[lungs]
suite = "lungs"
model = "unet_batchnorm"
"""


def test_an_epoch_is_timed_of_whatever_a_suite_trains_by_gradient(tmp_path):
    suite = tmp_path / "own.toml"
    suite.write_text(OF_ITS_OWN)
    page = run("-m", "benchmarks.epochs", suite, "--limit", 32, "--data-dir", tmp_path / "data")
    lines = [[cell.strip() for cell in line.split("|")] for line in page.splitlines()[2:]]
    assert [line[1:4] for line in lines] == [["`mlp`", "scratch", "16"], ["`mlp`", "scratch", "32"]]
    assert [line[6] for line in lines] == ["6", "2"]
    assert all(float(line[5]) > 0 for line in lines)


def test_intervals_are_drawn_and_a_page_is_written(tmp_path):
    page = tmp_path / "page.md"
    run("benchmarks/coverage.py", "--simulations", 2, "--out", page)
    assert "| 0.996 | 1,000 | 2 | gap, train − test |" in page.read_text()


def test_what_is_simulated_is_what_scoring_computes():
    from benchmarks import coverage

    rng = np.random.default_rng(0)
    ill, patients = np.repeat(np.arange(60) < 24, 3), np.repeat(np.arange(60), 3)
    scores = coverage.patient_noise(rng, 60, 3, 4) + ill[:, None]
    values, terms = coverage.aucs(ill, scores, 3)
    found = [influence.auc(ill.astype(float), column, patients) for column in scores.T]
    np.testing.assert_allclose(values, [each.value for each in found], rtol=1e-12)
    np.testing.assert_allclose(terms.T, [each.of_patients for each in found], atol=1e-15)
    low, high = coverage.limits((values, terms, 24))
    for k, each in enumerate(found):
        assert influence.bounded(each, 24) == pytest.approx((low[k], high[k]))
    p = coverage.p_of_pairs(values.reshape(2, 2), terms.reshape(60, 2, 2))
    entries = [
        Entry(name, [Seed(each.value) for each in of], lambda of=of: of)
        for name, of in (("a", found[:2]), ("b", found[2:]))
    ]
    assert compare(*entries).p == pytest.approx(p[0])


def test_a_killed_suite_ends_with_the_same_files():
    assert "files that differ: none" in run("-m", "benchmarks.kills", "--quick", "--kills", 1)
