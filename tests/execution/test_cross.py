"""A trained row on another data set, and a row that is run again."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner
from msgspec import structs

from benchmark.cli import main
from benchmark.data.audit.between import Seen
from benchmark.data.prepared import load_prepared
from benchmark.errors import UserError
from benchmark.hashing import sha256
from benchmark.models import discover
from benchmark.records.predictions import link, read_predictions
from benchmark.records.store import Results
from benchmark.report.export.leaderboard import write
from benchmark.report.sections.external_validation import gather_external_validation
from benchmark.scheduling.reproduce import Reproduction
from benchmark.scoring.publishing import check, publish
from benchmark.scoring.stored import stored_scores
from tests.data.claimed_sets import claim
from tests.execution.conftest import ENVIRONMENT, Bench, make_suite


@pytest.fixture(scope="module")
def trained(phantom, tmp_path_factory):
    """A results folder with one trained row on the small phantom, and its bench."""
    bench = Bench(phantom, tmp_path_factory.mktemp("trained"))
    bench.run(bench.plan(make_suite(["linear"], recipe={"epochs": 1})))
    return bench, next(bench.results.rows())


def another(prepared, manifest=None):
    """The same images as if they were another set: only the hash of the manifest differs."""
    derived = structs.replace(prepared.derived, manifest_sha256="f" * 64)
    target = replace(prepared, derived=derived)
    target.__dict__["_manifest"] = prepared.manifest() if manifest is None else manifest
    return target


def evaluated(trained, target, replace=True):
    from benchmark.kinds.external_validation_run import evaluate

    bench, row = trained
    folders = bench.results, bench.cache_dir
    return next(
        evaluate([row], target, discover()["linear"], *folders, ENVIRONMENT, replace=replace)
    )


def test_the_network_says_of_the_same_images_what_it_said_before(trained):
    bench, row = trained
    made = evaluated(trained, another(bench.prepared))
    own, there = (
        read_predictions(results.predictions_path(each.spec_id), "multilabel").part("test")
        for results, each in ((bench.results, row), (bench.results.cross, made))
    )
    assert there.findings == own.findings
    np.testing.assert_array_equal(there.logits, own.logits)
    np.testing.assert_array_equal(there.targets, own.targets)
    mine, theirs = stored_scores(bench.results, row), stored_scores(bench.results.cross, made)
    assert theirs.thresholds == pytest.approx(mine.thresholds, rel=1e-6)
    assert made.watermarks == []


def exported(results) -> dict:
    """What the leaderboard's JSON holds."""
    return json.loads(write(results).with_name("leaderboard.json").read_text())


def test_evaluations_have_a_table_of_their_own_and_are_never_ranked(trained):
    bench, row = trained
    before = exported(bench.results)
    made = evaluated(trained, another(bench.prepared))
    after = exported(bench.results)
    assert all(after[part] == before[part] for part in ("configurations", "tables"))
    below = write(bench.results).read_text().partition("## Tested on another data set")[2]
    assert "| thorax_phantom/small | linear |" in below
    (shown,) = gather_external_validation(bench.results)
    assert shown.row.spec_id == made.spec_id
    assert shown.row.made_from["network"].spec_id == row.spec_id


def test_images_that_it_was_trained_on_are_refused(trained):
    bench, _ = trained
    turned = bench.prepared.manifest().copy()
    turned["split"] = turned["split"].map(
        {"train": "test", "test": "train", "validation": "validation"}
    )
    target = another(bench.prepared, turned)
    with pytest.raises(UserError, match=r"test images .* the network was trained on"):
        evaluated(trained, target)


def test_its_images_are_those_of_the_version_that_it_was_trained_on(trained, tmp_path):
    bench, _ = trained
    turned = bench.prepared.manifest().copy()
    turned["split"] = turned["split"].map(
        {"train": "test", "test": "train", "validation": "validation"}
    )
    newer = bench.prepared.path.with_name("99.0.0")
    claim(newer, turned, bench.prepared.facts)
    try:
        target = load_prepared(bench.prepared.name, bench.data_dir)
        assert target.version == "99.0.0"
        with pytest.raises(UserError, match=r"test images .* the network was trained on"):
            evaluated(trained, target)
        away = bench.prepared.path.rename(tmp_path / "away")
        try:
            with pytest.raises(UserError, match=r"in version \S+, which is not here: nobody can"):
                evaluated(trained, target)
        finally:
            away.rename(bench.prepared.path)
    finally:
        shutil.rmtree(newer)


def test_an_evaluation_says_where_nobody_looked_at_what_the_network_was_trained_on(
    trained, tmp_path
):
    bench, _ = trained
    elsewhere = tmp_path / "thorax_phantom" / "other" / "1.0.0"
    elsewhere.parent.mkdir(parents=True)
    elsewhere.symlink_to(bench.prepared.path)
    target = another(replace(bench.prepared, name="thorax_phantom/other", path=elsewhere))
    (mark,) = evaluated(trained, target).watermarks
    assert mark.startswith("its training images are not here, so that nobody looked whether")
    below = write(bench.results).read_text().partition("## Tested on another data set")[2]
    assert mark in below


def test_copies_of_images_that_it_was_trained_on_are_refused_and_likely_ones_marked(
    trained, monkeypatch
):
    bench, _ = trained
    target, looked = another(bench.prepared), []

    def found(other, splits, tested, cache_dir):
        looked.append((other.name, sorted(splits), tested))
        return Seen([], surely, 3)

    monkeypatch.setattr("benchmark.kinds.ancestry.copies_between", found)
    surely = 2
    with pytest.raises(UserError, match=r"^2 of the .* test images .* the network was trained on"):
        evaluated(trained, target)
    surely = 0
    (mark,) = evaluated(trained, target).watermarks
    assert mark.startswith("3 of ")
    assert "look like copies" in mark
    assert looked == [(bench.prepared.name, ["train", "validation"], target)] * 2


def test_its_own_set_is_refused(trained):
    bench, _ = trained
    with pytest.raises(UserError, match="its scores there are in the leaderboard"):
        evaluated(trained, bench.prepared)


def test_patients_that_it_may_know_are_marked(trained):
    bench, _ = trained
    manifest = bench.prepared.manifest().copy()
    test, train = (np.flatnonzero(manifest["split"] == s) for s in ("test", "train"))
    manifest.loc[test[:3], "patient_id"] = manifest["patient_id"][train[0]]
    (mark,) = evaluated(trained, another(bench.prepared, manifest)).watermarks
    assert "3 of" in mark


def test_a_row_without_its_weights_says_how_to_get_them(trained, tmp_path):
    from benchmark.kinds.external_validation_run import evaluate

    bench, row = trained
    target, linear = another(bench.prepared), discover()["linear"]
    again = rf"run --suite test --dataset {row.spec.dataset} .*--filter id={row.spec_id} --results"
    with pytest.raises(UserError, match=rf"weights are not here.*{again} {tmp_path}"):
        next(evaluate([row], target, linear, Results(tmp_path), tmp_path, ENVIRONMENT))


def test_an_evaluation_is_not_replaced_unasked(trained):
    bench, row = trained
    target = another(bench.prepared)
    made = evaluated(trained, target)
    path = bench.results.cross.row_path(made.spec_id)
    before = path.read_bytes()
    ask = rf"evaluate {row.spec_id} --on {target.name} --replace"
    with pytest.raises(UserError, match=rf"there is a finished row already.*{ask}"):
        evaluated(trained, target, replace=False)
    assert path.read_bytes() == before
    assert evaluated(trained, target).predictions_sha256 == made.predictions_sha256


def test_weights_that_are_not_those_of_the_row_are_refused(trained):
    bench, row = trained
    path = bench.results.weights_path(row.spec_id)
    saved = path.read_bytes()
    assert row.weights_sha256 == sha256(saved)
    path.write_bytes(saved[:-1] + bytes([saved[-1] ^ 1]))
    try:
        with pytest.raises(UserError, match=f"is not what row {row.spec_id} saved"):
            evaluated(trained, another(bench.prepared))
    finally:
        path.write_bytes(saved)


def test_a_row_of_other_code_is_not_evaluated(trained, monkeypatch):
    monkeypatch.setattr("benchmark.training.VERSION", 99)
    with pytest.raises(
        UserError, match=r"code behind linear has changed.*--rerun all --filter id="
    ):
        evaluated(trained, another(trained[0].prepared))


def cxr_bench(bench, *arguments):
    folders = ["--results", bench.results.folder, "--data-dir", bench.data_dir,
               "--cache-dir", bench.cache_dir]  # fmt: skip
    told = CliRunner().invoke(main, [*map(str, (*arguments, *folders))])
    return told.exit_code, told.output


def test_a_row_comes_out_again_bit_by_bit(trained):
    bench, row = trained
    before = bench.results.row_path(row.spec_id).read_bytes()
    code, said = cxr_bench(bench, "reproduce", row.spec_id)
    assert code == 0, said
    assert "the same, bit by bit" in said
    assert bench.results.row_path(row.spec_id).read_bytes() == before


def with_other_predictions(phantom, trained, results, factor, environment):
    """The row as if its run had given so many times its logits, in that environment."""
    bench, row = trained
    other = Bench(phantom, results)
    predictions = read_predictions(bench.results.predictions_path(row.spec_id), "multilabel")
    logits = predictions.logits * np.float32(factor)
    changed = replace(predictions, logits=logits, probabilities=link(logits, "multilabel"))
    made = structs.replace(row, environment=environment)
    publish(other.results, made, check(changed, row.protocol))
    return other


@pytest.fixture
def as_trained(phantom, trained, monkeypatch):
    """The second run gives what the first one gave."""
    environment = trained[1].environment

    def run_plan(plan, folders, *_):
        with_other_predictions(phantom, trained, folders.results, 1, environment)

    monkeypatch.setattr("benchmark.scheduling.reproduce.run_plan", run_plan)


@pytest.mark.usefixtures("as_trained")
def test_what_came_out_differently_in_the_same_environment_is_no_reproduction(
    phantom, trained, tmp_path
):
    _, row = trained
    other = with_other_predictions(phantom, trained, tmp_path, 0.5, row.environment)
    code, said = cxr_bench(other, "reproduce", row.spec_id)
    assert code == 1, said
    assert "not the same, probabilities differ by" in said


@pytest.mark.usefixtures("as_trained")
def test_another_environment_is_said_and_may_differ_within_the_tolerance(
    phantom, trained, tmp_path
):
    _, row = trained
    packages = row.environment.packages | {"keras": "1.0"}
    elsewhere = structs.replace(row.environment, packages=packages, threads=64, device="gpu")
    other = with_other_predictions(phantom, trained, tmp_path, 0.999, elsewhere)
    code, said = cxr_bench(other, "reproduce", row.spec_id)
    assert code == 0, said
    assert "in another environment, within the 0.02 that any probability may differ by" in said
    assert "keras: 1.0 |" in said
    assert "threads: 64 |" in said
    assert "device: gpu | cpu" in said


def test_a_row_of_a_backend_that_is_not_installed_says_so(phantom, trained, tmp_path, monkeypatch):
    _, row = trained
    elsewhere = structs.replace(row.environment, backend="torch")
    other = with_other_predictions(phantom, trained, tmp_path, 0.5, elsewhere)
    monkeypatch.setitem(sys.modules, "torch", None)
    code, said = cxr_bench(other, "reproduce", row.spec_id)
    assert (code, "pip install torch" in said) == (2, True)


@pytest.mark.usefixtures("as_trained")
def test_another_environment_is_no_excuse_for_other_scores(phantom, trained, tmp_path):
    _, row = trained
    elsewhere = structs.replace(row.environment, cpu="another processor")
    other = with_other_predictions(phantom, trained, tmp_path, -1.0, elsewhere)
    code, said = cxr_bench(other, "reproduce", row.spec_id)
    assert code == 1, said
    assert "in another environment, beyond the 0.02 that any probability may" in said


def test_the_test_score_decides_where_there_is_one(trained):
    _, row = trained
    elsewhere = structs.replace(row.environment, cpu="another processor")
    again = structs.replace(row, environment=elsewhere, predictions_sha256="0" * 64)

    def ended(then, now, made=again):
        return Reproduction(row, made, {"train auc": (0.5, 0.9), "test auc": (then, now)}, 0.3, {})

    assert ended(0.900, 0.915).as_promised
    assert not ended(0.900, 0.925).as_promised
    assert not ended(None, 0.900).as_promised
    here = structs.replace(again, environment=row.environment)
    assert not ended(0.900, 0.900, here).as_promised, "one environment promises bits"


def test_a_row_of_other_data_is_not_run_again(phantom, trained, tmp_path):
    _, row = trained
    other = Bench(phantom, tmp_path / "results")
    spec = structs.replace(row.spec, manifest_sha256="0" * 64)
    ids = {"spec_id": spec.spec_id, "config_id": spec.config_id}
    other.results.write_row(structs.replace(row, spec=spec, **ids))
    code, said = cxr_bench(other, "reproduce", spec.spec_id)
    assert (code, "not here as it was" in said) == (2, True)
