"""One file, or one folder, adds a model, a data set, a suite or a kind: the rest finds it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from benchmark.records.store import Results

ROOT = Path(__file__).parents[1]
MODEL = '''
"""Mean brightness, and no more."""
import keras
from benchmark.models._head import logits

CARD = {
    "title": "Brightness", "description": "D.", "reference": "none", "source_system": "",
    "inputs": "image", "channels": 1, "own_normalisation": "unit", "min_size": 1, "max_size": None,
    "parameters": {"size": 8, "channels": 1, "outputs": 1, "count": 2}, "gmacs_224": 0.0,
    "weights": {}, "deterministic": False,
}


def build(input_shape, task, weights):
    images = keras.Input(input_shape)
    return keras.Model(images, logits(keras.layers.GlobalAveragePooling2D()(images), task))
'''
BUILDER = '''
"""The phantom once more, under a name of its own."""
from tfds_builders.thorax_phantom.thorax_phantom_dataset_builder import Builder as Phantom


class Builder(Phantom):
    """A twin."""
'''
KIND = '''
"""What its first member says."""
from benchmark.kinds.ensemble import EnsembleKind, Way


class FirstMember(EnsembleKind):
    """Repeats it."""

    def ways(self):
        return {self.name: Way((), (1, None), "First of {members}", "It repeats.", "us", 9)}


KIND = FirstMember()
'''
KIND_RUN = '''
"""Repeat the first member."""
from benchmark.data.prepared import SPLITS
from benchmark.kinds.ensemble_job import EnsembleJob
from benchmark.kinds.job import Outcome
from benchmark.records.row import EnsembleFacts


def run(job):
    ensemble = EnsembleJob.of(job)
    name, first = next(iter(ensemble.members.items()))
    said = first.predictions
    logits = {split: said.logits[said.split == split] for split in SPLITS}
    facts = EnsembleFacts(used=[name])
    return ensemble.told(Outcome(logits, ensemble.parameters, ensemble=facts))
'''
SUITE = """
title = "What was added"
description = ""
[matrix]
datasets = ["twin/small"]
models = ["brightness"]
resolutions = [16]
seeds = [0]
[recipe]
epochs = 1
[[ensembles]]
name = "echo"
kind = "first_member"
members = ["brightness"]
"""
ADDED = {
    "benchmark/models/brightness.py": MODEL,
    "benchmark/kinds/first_member.py": KIND,
    "benchmark/kinds/first_member_run.py": KIND_RUN,
    "benchmark/suites/added.toml": SUITE,
    "tfds_builders/twin/__init__.py": "",
    "tfds_builders/twin/twin_dataset_builder.py": BUILDER,
}
RUN = "import sys; from benchmark.cli import main; main(sys.argv[1:])"


@pytest.fixture(scope="module")
def house(tmp_path_factory) -> Path:
    """A folder that holds the packages with these files, as if cloned and added to."""
    root = tmp_path_factory.mktemp("house")
    for package in ("benchmark", "tfds_builders"):
        unwanted = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / package, root / package, ignore=unwanted)
    shutil.copytree(root / "tfds_builders" / "thorax_phantom", root / "tfds_builders" / "twin")
    for path in (root / "tfds_builders" / "twin").glob("*.py"):
        path.unlink()
    for place, text in ADDED.items():
        (root / place).write_text(text)
    return root


def command(house: Path, *arguments: str) -> str:
    """What ``cxr-bench`` says in that folder, where its packages come before the installed ones."""
    done = subprocess.run(
        [sys.executable, "-c", RUN, *arguments],
        cwd=house,
        env=os.environ | {"PYTHONPATH": str(house)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def results(house) -> Results:
    folders = ["--data-dir", "data", "--cache-dir", "cache", "--results", "results"]
    command(house, "run", "--suite", "added", *folders)
    return Results(house / "results")


def test_all_of_it_is_listed(house):
    listed = command(house, "list")
    assert all(name in listed for name in ("brightness", "twin/small", "added"))


def test_all_of_it_is_run(results):
    rows = {row.spec.model: row for row in results.rows()}
    assert {name: (row.status, row.error) for name, row in rows.items()} == {
        "brightness": ("done", None),
        "echo": ("done", None),
    }
    assert {row.spec.dataset for row in rows.values()} == {"twin/small"}
    echo = rows["echo"]
    assert (echo.spec.kind, echo.code["kind"]) == ("first_member", "9")
    assert echo.spec.members == {"brightness": rows["brightness"].spec_id}
    assert echo.predictions_sha256 == rows["brightness"].predictions_sha256


def test_all_of_it_is_in_the_table(results):
    tables = json.loads((results.folder / "leaderboard.json").read_text())
    shown = {(c["model"], c["dataset"]) for c in tables["configurations"]}
    assert shown == {("brightness", "twin/small"), ("echo", "twin/small")}
    text = (results.folder / "LEADERBOARD.md").read_text()
    assert "echo (ensemble)" in text
    assert "First of brightness" in text
