"""Every benchmark at its smallest size: they are run by hand, and would rot unseen."""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
from argparse import Namespace
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from benchmark.cli import main
from benchmark.scoring import influence
from benchmark.scoring.ranking import Entry, Seed, compare
from benchmarks import bench, epochs, finished, input_speed, jobs, kills, spec_speed
from benchmarks.measure import Measure, in_fresh_process

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
TINY = {"quick": True, "dataset": "thorax_phantom/small", "data": None, "size": 64, "limit": 100}


@pytest.fixture
def options(phantom) -> Namespace:
    """Of `make bench` at its smallest."""
    return Namespace(**TINY, data_dir=phantom[1], cache_dir=phantom[2])


def begin_small():
    """Called by a process that measures: few networks, epochs and predictions, and small files."""
    from benchmark.machine.environment import current
    from benchmark.training.network import configure_framework

    configure_framework(current())  # before TensorFlow is used, which two parts do as it comes
    input_speed.SIDE, jobs.MODELS, spec_speed.MODELS = 128, ["linear"], {"cnn": (1.05, 1, 64)}
    finished.GUESSES = 2


@pytest.fixture(scope="module")
def one_process():
    """Stands in for one process each: importing TensorFlow takes longer than all else."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context, initializer=begin_small) as pool:
        yield lambda work, *arguments: pool.submit(work, *arguments).result()


@pytest.fixture
def quick(one_process, monkeypatch):
    for module in (bench, epochs):
        monkeypatch.setattr(module, "in_fresh_process", one_process)


def test_a_fresh_process_is_another_one_each_time():
    assert len({os.getpid(), *(in_fresh_process(os.getpid) for _ in range(2))}) == 3


def run(*command: object) -> str:
    """What a benchmark prints that is a program of its own."""
    done = subprocess.run(
        [sys.executable, *map(str, command)], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("part", bench.parts(Namespace(**TINY, data_dir=None, cache_dir=None)))
def test_every_part_of_the_speed_page_measures_something(part, options, quick):
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


def test_an_epoch_is_timed_of_whatever_a_suite_trains_by_gradient(
    tmp_path, options, quick, monkeypatch, capsys
):
    suite = tmp_path / "own.toml"
    suite.write_text(OF_ITS_OWN)
    folders = ["--data-dir", options.data_dir, "--cache-dir", options.cache_dir]
    monkeypatch.setattr(sys, "argv", ["epochs", *map(str, (suite, "--limit", 32, *folders))])
    epochs.main()
    page = capsys.readouterr().out.splitlines()[2:]
    lines = [[cell.strip() for cell in line.split("|")] for line in page]
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


STAND_IN = """
import sys, time
from pathlib import Path
if sys.argv[1] == "run":
    time.sleep(0.2)
    (results,) = (word for word in sys.argv if word.startswith("--results="))
    folder = Path(results.partition("=")[2], "predictions")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "a.parquet").write_text({text})
"""
"""Of `cxr-bench`: it takes its time, and one result file is all it leaves."""


def killed(monkeypatch, capsys, text: str) -> tuple[bool, str]:
    """How `benchmarks.kills` ends with a run that writes ``text``, and what it says last."""
    program = STAND_IN.format(text=text)
    monkeypatch.setattr(kills, "CLI", [sys.executable, "-c", program])
    monkeypatch.setattr(sys, "argv", ["kills", "--quick", "--kills", "3"])
    with pytest.raises(SystemExit) as end:
        kills.main()
    return end.value.code, capsys.readouterr().out


def test_what_is_killed_in_a_hurry_are_specs_of_the_suite(phantom, tmp_path):
    words = ["run", "--suite", "phantom", *kills.QUICK, "--dry-run", "--json"]
    folders = ["--data-dir", phantom[1], "--results", tmp_path]
    told = CliRunner().invoke(main, [*words, *map(str, folders)])
    models = {spec["label"].split()[1] for spec in json.loads(told.output)}
    assert models == {"constant", "linear", "cnn"}


def test_after_kills_files_are_compared(monkeypatch, capsys):
    """What is killed here is a stand-in; tests/execution/test_kills.py kills suites."""
    code, said = killed(monkeypatch, capsys, "'the same'")
    assert code == 0
    assert "3 kills" in said
    assert "files that differ: none" in said
    code, said = killed(monkeypatch, capsys, "str(time.time())")
    assert code == 1
    assert "files that differ: ['predictions/a.parquet'" in said
