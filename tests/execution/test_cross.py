"""A trained row on another data set, and a row that is run again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from benchmark.cli import main
from benchmark.errors import UserError
from benchmark.models import discover
from benchmark.records.predictions import read_predictions, write_predictions
from benchmark.records.store import Results
from benchmark.report.crossed import gather_crossed
from benchmark.report.leaderboard import write
from benchmark.scoring.stored import stored_scores
from tests.execution.conftest import Bench, make_suite


@pytest.fixture(scope="module")
def trained(phantom, tmp_path_factory):
    """A results folder with one trained row on the small phantom, and its bench."""
    bench = Bench(phantom, tmp_path_factory.mktemp("trained"))
    bench.run(bench.plan(make_suite(["linear"], recipe={"epochs": 1})))
    return bench, next(bench.results.rows())


def another(prepared, **changes):
    """The same images as if they were another set: only the hash of the manifest differs."""
    return replace(prepared, derived=prepared.derived | {"manifest_sha256": "f" * 64}, **changes)


def evaluated(trained, target):
    from benchmark.execution.cross import evaluate

    bench, row = trained
    return evaluate(row, target, discover()["linear"], bench.results, bench.cache_dir)


def test_the_network_says_of_the_same_images_what_it_said_before(trained):
    bench, row = trained
    made = evaluated(trained, another(bench.prepared))
    own, there = (
        read_predictions(results.predictions_path(each["cell_id"]), "multilabel").part("test")
        for results, each in ((bench.results, row), (bench.results.cross, made))
    )
    assert there.findings == own.findings
    np.testing.assert_array_equal(there.logits, own.logits)
    np.testing.assert_array_equal(there.targets, own.targets)
    mine, theirs = stored_scores(bench.results, row), stored_scores(bench.results.cross, made)
    assert theirs["thresholds"] == pytest.approx(mine["thresholds"], rel=1e-6)
    assert made["watermarks"] == []


def test_evaluations_have_a_table_of_their_own_and_are_never_ranked(trained):
    bench, row = trained
    heading = "## Tested on another data set"
    ranked = write(bench.results).read_text().partition(heading)[0]
    made = evaluated(trained, another(bench.prepared))
    above, _, below = write(bench.results).read_text().partition(heading)
    assert above.splitlines()[3:] == ranked.splitlines()[3:]
    assert "| thorax_phantom/small | linear |" in below
    (crossed,) = gather_crossed(bench.results)
    assert crossed.row["cell_id"] == made["cell_id"]
    assert crossed.row["source"]["cell_id"] == row["cell_id"]


def test_images_that_it_was_trained_on_are_refused(trained):
    bench, _ = trained
    turned = bench.prepared.manifest().copy()
    turned["split"] = turned["split"].map(
        {"train": "test", "test": "train", "validation": "validation"}
    )
    target = another(bench.prepared)
    target.__dict__["_manifest"] = turned
    with pytest.raises(UserError, match=r"test images .* the network was trained on"):
        evaluated(trained, target)


def test_its_own_set_is_refused(trained):
    bench, _ = trained
    with pytest.raises(UserError, match="its scores there are in the leaderboard"):
        evaluated(trained, bench.prepared)


def test_patients_that_it_may_know_are_marked(trained):
    bench, _ = trained
    manifest = bench.prepared.manifest().copy()
    test, train = (np.flatnonzero(manifest["split"] == s) for s in ("test", "train"))
    manifest.loc[test[:3], "patient_id"] = manifest["patient_id"][train[0]]
    target = another(bench.prepared)
    target.__dict__["_manifest"] = manifest
    (mark,) = evaluated(trained, target)["watermarks"]
    assert "3 of" in mark


def test_a_row_without_its_weights_says_how_to_get_them(trained, tmp_path):
    from benchmark.execution.cross import evaluate

    bench, row = trained
    with pytest.raises(UserError, match=r"weights are not here.*--rerun all"):
        evaluate(row, another(bench.prepared), discover()["linear"], Results(tmp_path), tmp_path)


def cxr_bench(bench, *arguments):
    folders = ["--results", bench.results.folder, "--data-dir", bench.data_dir,
               "--cache-dir", bench.cache_dir]  # fmt: skip
    told = CliRunner().invoke(main, [*map(str, (*arguments, *folders))])
    return told.exit_code, told.output


def test_a_row_comes_out_again_bit_by_bit(trained):
    bench, row = trained
    before = bench.results.row_path(row["cell_id"]).read_bytes()
    code, said = cxr_bench(bench, "reproduce", row["cell_id"])
    assert code == 0, said
    assert "the same, bit by bit" in said
    assert bench.results.row_path(row["cell_id"]).read_bytes() == before


def test_what_came_out_differently_is_said(phantom, trained, tmp_path):
    bench, row = trained
    other = Bench(phantom, tmp_path / "results")
    path = bench.results.predictions_path(row["cell_id"])
    predictions = read_predictions(path, "multilabel")
    changed = replace(predictions, probabilities=predictions.probabilities * np.float32(0.5))
    digest = write_predictions(other.results.predictions_path(row["cell_id"]), changed)
    packages = row["provenance"]["packages"] | {"keras": "1.0"}
    provenance = row["provenance"] | {"packages": packages}
    other.results.write_row(row | {"predictions_sha256": digest, "provenance": provenance})
    code, said = cxr_bench(other, "reproduce", row["cell_id"])
    assert code == 1, said
    assert "not the same, probabilities differ by" in said
    assert "keras: 1.0 |" in said


def test_a_row_of_other_data_is_not_run_again(trained, tmp_path):
    bench, row = trained
    results = Results(tmp_path / "results")
    cell = row["cell"] | {"manifest_sha256": "0" * 64}
    results.write_row(row | {"cell": cell})
    told = CliRunner().invoke(
        main,
        ["reproduce", row["cell_id"], "--results", str(results.folder), "--data-dir",
         str(bench.data_dir)],
    )  # fmt: skip
    assert (told.exit_code, "not here as it was" in told.output) == (2, True)
