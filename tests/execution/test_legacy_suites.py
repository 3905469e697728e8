"""Legacy suites run on files in the layout of their sources, beside patient-disjoint twins."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from benchmark.data.discovery import find_dataset
from benchmark.data.prepare import prepare
from benchmark.models import discover, weight_files
from benchmark.planning.inputs import PlanInputs
from benchmark.planning.resolve import dataset_names, make_plan
from benchmark.protocols import find
from benchmark.records.store import Results
from benchmark.report.blocks.text import plain
from benchmark.report.export.leaderboard import write
from benchmark.scheduling.runner import run_plan
from benchmark.scheduling.slots import Folders
from benchmark.scoring.stored import stored_scores
from benchmark.spec import PUBLISHED
from benchmark.suites import load_suite
from tests.execution.conftest import ENVIRONMENT
from tests.execution.here import Here
from tests.execution.weight_files import write_published
from tfds_builders.chestxray14 import fake_raw as chestxray14_raw
from tfds_builders.kermany_pneumonia import fake_raw as kermany_raw
from tfds_builders.lung_masks import fake_raw as masks_raw
from tfds_builders.padchest import fake_raw as padchest_raw

pytestmark = pytest.mark.slow

SIZE = 32
RAW = {
    "padchest": lambda folder: padchest_raw.write(folder, style="zips", size=SIZE, patients=60),
    "chestxray14": lambda folder: chestxray14_raw.write(folder, patients=200, size=SIZE),
    "chestxray14/small": lambda folder: chestxray14_raw.write_small(folder, size=SIZE),
    "chestxray14/small_disjoint": lambda folder: chestxray14_raw.write_small(folder, size=SIZE),
    "kermany_pneumonia": lambda folder: kermany_raw.write(folder, patients=60, size=SIZE),
    "lung_masks/montgomery": lambda folder: masks_raw.write(folder, "montgomery", size=SIZE),
}
DENSENET121, MOBILENETV2 = (
    weight_files(discover()[model])[0] for model in ("densenet121", "mobilenetv2")
)
WEIGHTS = {"legacy_s0": [DENSENET121], "legacy_s2": [MOBILENETV2], "legacy_s4": [DENSENET121]}
"""Files that are there while a suite runs, in the published layout; the others are missing."""
RUN = {
    "legacy_s0": {"densenet121_s0", *(f"thamilarasi{variant}" for variant in (1, 2, 3, 4, 5))},
    "legacy_s1": {"s1_dense", "s1_cnn"},
    "legacy_s2": {"s2_cnn", "gielczyk", "mobilenetv2", "specialist_s2"},
    "legacy_s3": {"mlp", "cnn", "googlenet", "resnet50", "vote_s3"},
    "legacy_s4": {"densenet121"},
}
"""Models and ensembles of a suite that end in a row under these circumstances."""
LEFT_OUT = {"vit"}
"""Takes half a minute to trace; others show the same."""


def shrunk(suite):
    """The same suite with small images and a short training, one seed."""
    small = {
        model: [{**block, "resolutions": [SIZE]} for block in blocks]
        for model, blocks in suite.matrix_for.items()
        if model not in LEFT_OUT
    }
    models = [name for name in suite.matrix["models"] if name not in LEFT_OUT]
    matrix = {**suite.matrix, "models": models, "resolutions": [SIZE], "seeds": [0]}
    recipe = {**suite.recipe, "epochs": 1, "head_epochs": 1, "batch_size": 16}
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


@pytest.fixture
def weights(name, tmp_path, monkeypatch):
    """Some of the published weight files, and none in any cache."""
    for file_name in WEIGHTS.get(name, ()):
        write_published(tmp_path / "weights", file_name)
    monkeypatch.setenv("CXR_BENCH_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "no_cache"))


def run(suite, prepared, tmp_path):
    """Run a suite small; returns its results folder."""
    data_dir, get = prepared
    results = Results(tmp_path / "results")
    facts = {each: get(each) for each in dataset_names([suite])}
    plan = make_plan([suite], PlanInputs(discover(), facts, results))
    folders = Folders(data_dir, tmp_path / "cache", results.folder)
    run_plan(plan, folders, ENVIRONMENT, executor=Here(folders, ENVIRONMENT))
    return results


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.xdist_group(n)) for n in RUN])
def test_the_suite_runs_beside_its_patient_disjoint_twin(name, prepared, weights, tmp_path):
    results = run(shrunk(load_suite(name)), prepared, tmp_path)
    done = [row for row in results.rows() if row.status == "done"]
    legacy = [row for row in done if row.protocol.legacy]
    for half in (legacy, [row for row in done if not row.protocol.legacy]):
        assert {row.spec.model for row in half} == RUN[name]
    for row in results.rows():
        if row.status != "done":
            assert "notop" in row.error.reason, "only published weights are missing"
    for row in legacy:
        assert row.spec.protocol == name != PUBLISHED
        assert row.dataset.leakage_status == "leak"
        assert stored_scores(results, row).by_rule["test"].accuracy is not None
    _check_page(find(name), RUN[name], write(results).read_text())


def _check_page(protocol, models, text):
    """The page says what is wrong and what the source claims of each model that was run."""
    assert f"What is wrong with {protocol.name}" in text
    assert all(plain(fault) in text for fault in protocol.faults)
    claims = [c for c in protocol.claims if c.model in models | {"*"}]
    assert all(plain(claim.text) in text for claim in claims)


@pytest.mark.xdist_group("lungs")
def test_s2s_lung_segmentation_runs_beside_its_claim(prepared, tmp_path):
    suite = shrunk(load_suite("legacy_s2_lungs"))
    suite.matrix["datasets"] = suite.matrix["datasets"][:1]
    results = run(suite, prepared, tmp_path)
    rows = [(row.spec.dataset, row.spec.model) for row in results.rows()]
    assert sorted(rows) == sorted(product(*(suite.matrix[a] for a in ("datasets", "models"))))
    assert {row.status for row in results.rows()} == {"done"}
    assert "S2 says of unet_legacy: pixel accuracy 0.94" in write(results).read_text()
