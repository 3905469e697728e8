"""Whole runs on a small simulated set, with real worker processes where these are the point."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from msgspec import structs

from benchmark.data.facts import FACTS, METADATA
from benchmark.data.prepared import load_prepared
from benchmark.data.views import list_views
from benchmark.hashing import sha256_of_file
from benchmark.kinds.code import code_of
from benchmark.machine.environment import KERAS
from benchmark.models import discover
from benchmark.records.door import write_record
from benchmark.records.predictions import SPLITS, read_predictions
from benchmark.report.export.leaderboard import write
from benchmark.suites import parse_filter
from tests.execution.conftest import Bench, make_suite


@pytest.fixture(scope="module")
def finished(phantom, tmp_path_factory, bad_models):
    """One run of models, good and bad; returns (bench, plan, how specs ended)."""
    bench = Bench(phantom, tmp_path_factory.mktemp("run") / "results", [bad_models])
    good = ["constant", "metadata_only", "linear", "cnn"]
    suite = make_suite([*good, "raises", "diverges", "broken"])
    return bench, suite, bench.run(bench.plan(suite))


def test_good_models_are_done_and_bad_ones_do_not_stop_them(finished):
    bench, _, ended = finished
    assert ended == {"done": 4, "failed": 2, "not_runnable": 1}
    rows = bench.rows()
    assert {name for name, row in rows.items() if row.status == "done"} == {
        "constant",
        "metadata_only",
        "linear",
        "cnn",
    }


@pytest.mark.parametrize(
    ("model", "status", "reason"),
    [
        ("raises", "failed", "KeyError"),
        ("diverges", "failed", "loss became nan in epoch 1"),
        ("broken", "not_runnable", "broken.py"),
    ],
)
def test_every_failure_is_a_row_with_its_reason(finished, model, status, reason):
    row = finished[0].rows()[model]
    assert row.status == status
    assert reason in row.error.reason
    assert row.predictions_sha256 is None


def test_a_model_that_ends_its_worker_is_a_row_with_the_reason(bench, bad_models):
    """Others that do: a killed one below, one that takes all memory in test_fallback.py."""
    bench.models_dirs = (bad_models,)
    suite = make_suite(["exits", "constant"])
    assert bench.run(bench.plan(suite), isolated=True) == {"failed": 1, "done": 1}
    assert "exit code 3" in bench.rows()["exits"].error.reason


def test_a_second_run_has_nothing_to_do(finished):
    bench, suite, _ = finished
    plan = bench.plan(suite)
    assert plan.to_run() == []
    assert plan.refused() == []


def test_predictions_cover_every_image_once(finished):
    bench, _, _ = finished
    manifest = bench.prepared.manifest()
    for model in ("constant", "linear", "cnn"):
        spec_id = bench.rows()[model].spec_id
        predictions = read_predictions(bench.results.predictions_path(spec_id), "multilabel")
        for split in SPLITS:
            ids = manifest.loc[manifest["split"] == split, "image_id"].tolist()
            assert predictions.part(split).image_id.tolist() == ids
        target = manifest.set_index("image_id").loc[predictions.image_id, "target:Nodule"]
        at = predictions.findings.index("Nodule")
        np.testing.assert_array_equal(predictions.targets[:, at], target.to_numpy())


def test_the_rows_say_what_was_run(finished):
    row = finished[0].rows()["cnn"]
    assert row.environment.packages["keras"]
    assert (row.environment.backend, row.environment.threads) == ("tensorflow", 1)
    assert row.environment.keras == KERAS
    assert row.code == code_of(row.spec, discover()["cnn"])
    assert row.code.keys() == {"kind", "model", "training", "decoding", "preprocessing"}
    assert row.weights_sha256 == sha256_of_file(finished[0].results.weights_path(row.spec_id))
    assert row.model.parameters > 1000
    assert row.counts["test"].images == finished[0].prepared.counts["test"].images
    assert len(row.history.loss) == len(row.history.val_auc) <= 2
    assert {"views", "build", "train", "predict", "score"} <= row.phases.keys()
    assert row.peak_memory_mb > 50


def test_the_leaderboard_shows_results_and_failures(finished):
    text = write(finished[0].results).read_text()
    for word in ("metadata_only", "constant", "cnn", "became nan", "simulated"):
        assert word in text


def test_a_worker_says_how_much_memory_it_keeps(bench):
    told = []
    bench.run(bench.plan(make_suite(["constant"])), lambda planned, event: told.append(event))
    assert told[-1]["resident_mb"] > 50


def test_a_limited_run_uses_so_many_images_and_is_watermarked(bench):
    plan = bench.plan(make_suite(["linear"], recipe={"epochs": 1}), limit=20)
    bench.run(plan)
    row = bench.rows()["linear"]
    assert row.counts["train"].images == 20
    assert row.watermarks == ["limited to 20 images of each split"]
    assert "limited to 20 images" in write(bench.results).read_text()


def test_images_are_decoded_once_for_all_sizes_of_a_run(bench, bad_models, tmp_path):
    bench.cache_dir, bench.models_dirs = tmp_path / "cache", (bad_models,)
    of_sizes = {"resolutions": [16, 24, 32], "preprocessing": ["raw", "equalise"]}
    suite = make_suite(["raises"], **of_sizes)  # once it has its images: nothing is trained
    told = []

    def note(planned, event):
        if event["event"] == "view":
            told.append((planned.spec.resolution, planned.spec.preprocessing))

    wanted = parse_filter("size=16|24")
    assert bench.run(bench.plan(suite, wanted=wanted), note) == {"failed": 4}
    assert set(told) == {(16, "raw"), (16, "equalise")}, "24 px come along"
    sizes = {view.made_of.size for view in list_views(bench.cache_dir)}
    assert sizes == {16, 24}
    told.clear()
    assert bench.run(bench.plan(suite), note) == {"failed": 2}
    assert set(told) == {(32, "raw"), (32, "equalise")}


@pytest.fixture(scope="module")
def disturbed(phantom, tmp_path_factory):
    """A run whose worker is killed in its first epoch, and that Ctrl-C ends at its second spec.

    Returns (bench, the events and their seeds, workers that are left).
    """
    bench, told = Bench(phantom, tmp_path_factory.mktemp("disturbed")), []

    def disturb(planned, event):
        told.append((event["event"], planned.spec.seed))
        if told.count(("epoch", 0)) == 1 and event["event"] == "epoch":
            os.kill(_workers()[0], signal.SIGKILL)
        if told[-1] == ("start", 1):
            raise KeyboardInterrupt

    suite = make_suite(["linear"], seeds=(0, 1), recipe={"epochs": 1})
    with pytest.raises(KeyboardInterrupt):
        bench.run(bench.plan(suite), disturb, isolated=True)
    return bench, told, _workers()


def test_a_spec_whose_worker_is_killed_by_others_is_run_again(disturbed):
    bench, told, _ = disturbed
    of_seed = [event for event, seed in told if seed == 0]
    steps = [event for event in of_seed if event in ("start", "lost", "done", "failed")]
    assert steps == ["start", "lost", "start", "done"]
    assert not list(bench.results.folder.rglob("*.tmp"))


def test_ctrl_c_ends_the_worker_and_keeps_what_is_done(disturbed):
    bench, told, workers = disturbed
    assert told[-1] == ("start", 1)
    assert [row.spec.seed for row in bench.results.rows()] == [0]
    assert workers == []


def test_a_run_may_stop_at_the_first_failure(bench, bad_models):
    bench.models_dirs = (bad_models,)
    plan = bench.plan(make_suite(["raises", "linear"]))
    first, second = (planned.spec.model for planned in plan.to_run())
    assert (first, second) == ("raises", "linear")
    assert bench.run(plan, exit_on_error=True) == {"failed": 1}
    assert set(bench.rows()) == {"raises"}


def test_a_worker_ends_with_its_runner(bench):
    """Or a new run would do a spec that the old worker is still at."""
    script = (
        "import subprocess, sys\n"
        "worker = subprocess.Popen([sys.executable, '-m', 'benchmark.scheduling.worker'],"
        " stdin=subprocess.PIPE, start_new_session=True)\n"
        "print(worker.pid, flush=True)\n"
        "import time; time.sleep(999)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as runner:
        worker = int(runner.stdout.readline())
        runner.kill()
    deadline = time.monotonic() + 60
    while Path(f"/proc/{worker}").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not Path(f"/proc/{worker}").exists()


def _workers() -> list[int]:
    """Process ids of this process's workers."""
    command = ["pgrep", "-P", str(os.getpid()), "-f", "benchmark.scheduling.worker"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    return [int(pid) for pid in found.stdout.split()]


@pytest.fixture
def under_agreement(phantom, tmp_path):
    """The small phantom as if its images must not be published."""
    prepared, data_dir, cache_dir = phantom
    folder = tmp_path / "data" / prepared.path.relative_to(data_dir)
    shutil.copytree(prepared.path, folder)
    said = json.loads((folder / METADATA).read_bytes()) | {"redistributable": False}
    (folder / METADATA).write_text(json.dumps(said))
    digest = sha256_of_file(folder / METADATA)
    write_record(folder / FACTS, structs.replace(prepared.derived, metadata_sha256=digest))
    return load_prepared(prepared.name, tmp_path / "data"), tmp_path / "data", cache_dir


def test_predictions_on_data_under_an_agreement_stay_private(under_agreement, tmp_path):
    bench = Bench(under_agreement, tmp_path / "results")
    bench.run(bench.plan(make_suite(["constant"])))
    text = write(bench.results).read_text()
    spec_id = bench.rows()["constant"].spec_id
    assert bench.results.predictions_path(spec_id, redistributable=False).is_file()
    assert not (bench.results.folder / "predictions").exists()
    patient = bench.prepared.manifest()["patient_id"].iloc[0]
    published_files = [p for p in bench.results.folder.rglob("*.json") if p.is_file()]
    assert all(patient not in p.read_text() for p in published_files)
    assert patient not in text
