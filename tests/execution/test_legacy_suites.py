"""Every legacy suite runs on files in the layout its source published, beside its honest twin."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmark.data.discovery import find_dataset
from benchmark.data.prepare import prepare
from benchmark.execution.plan import Stock, dataset_names, make_plan
from benchmark.execution.runner import Folders, run_plan
from benchmark.legacy import HONEST, find_protocol
from benchmark.models import discover
from benchmark.records.store import Results
from benchmark.report.leaderboard import write
from benchmark.scoring.stored import stored_scores
from benchmark.suites import load_suite
from tests.execution.conftest import ENVIRONMENT
from tfds_builders.chestxray14 import fake_raw as chestxray14_raw
from tfds_builders.kermany_pneumonia import fake_raw as kermany_raw
from tfds_builders.padchest import fake_raw as padchest_raw

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("runs")]

SIZE = 32
RAW = {
    "padchest": lambda folder: padchest_raw.write(folder, style="zips", size=SIZE, patients=60),
    "chestxray14": lambda folder: chestxray14_raw.write(folder, patients=200, size=SIZE),
    "chestxray14/small": lambda folder: chestxray14_raw.write_small(folder, size=SIZE),
    "chestxray14/small_disjoint": lambda folder: chestxray14_raw.write_small(folder, size=SIZE),
    "kermany_pneumonia": lambda folder: kermany_raw.write(folder, patients=60, size=SIZE),
}
NEEDS_NO_FILES = {
    "legacy_s0": ["thamilarasi1", "thamilarasi4", "densenet121_s0"],
    "legacy_s1": ["s1_dense", "s1_cnn"],
    "legacy_s2": ["s2_cnn", "gielczyk", "specialist_s2"],
    "legacy_s3": ["mlp", "cnn", "googlenet", "resnet50", "vote_s3"],
    "legacy_s4": [],
}


def shrunk(suite):
    """The same suite with small images and a short training, one seed."""
    small = {axes: {**values, "resolutions": [SIZE]} for axes, values in suite.matrix_for.items()}
    matrix = {**suite.matrix, "resolutions": [SIZE], "seeds": [0]}
    recipe = {**suite.recipe, "epochs": 1, "batch_size": 16}
    return replace(suite, matrix=matrix, matrix_for=small, recipe=recipe, recipe_for={})


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """Prepares a set once; returns (data folder, a function of the set's name)."""
    raw, data_dir, made = tmp_path_factory.mktemp("raw"), tmp_path_factory.mktemp("data"), {}

    def get(name):
        if name not in made:
            source = name if name in RAW else name.partition("/")[0]
            folder = raw / source.replace("/", "_").removesuffix("_disjoint")
            if not folder.exists():
                RAW[source](folder)
            made[name] = prepare(find_dataset(name), data_dir, folder)
        return made[name]

    return data_dir, get


@pytest.mark.parametrize("name", NEEDS_NO_FILES)
def test_the_suite_runs_beside_its_honest_twin(name, prepared, tmp_path):
    data_dir, get = prepared
    suite, results = shrunk(load_suite(name)), Results(tmp_path / "results")
    facts = {each: get(each) for each in dataset_names([suite])}
    plan = make_plan([suite], Stock(discover(), facts, results, ENVIRONMENT))
    run_plan(plan, Folders(data_dir, tmp_path / "cache", results.folder), ENVIRONMENT)
    rows = list(results.rows())
    done = [row for row in rows if row["status"] == "done"]
    legacy = [row for row in done if row["protocol"]["legacy"]]
    honest = [row for row in done if not row["protocol"]["legacy"]]
    for half in (legacy, honest):
        assert {row["cell"]["model"] for row in half} == set(NEEDS_NO_FILES[name])
    for row in rows:
        if row["status"] != "done":
            assert "notop" in row["error"]["reason"], "only published weights are missing"
    if done:
        _check_legacy(name, legacy, results)


def _check_legacy(name, legacy, results):
    protocol = find_protocol(name)
    for row in legacy:
        assert row["cell"]["protocol"] == name != HONEST
        assert row["dataset"]["verdict"] == "leak"
        assert stored_scores(results, row)["by_rule"]["test"]["accuracy"] is not None
    text = write(results).read_text()
    assert f"What is wrong with {name}" in text
    assert protocol.faults[0].split(":")[0] in text
