"""Choosing without the test: no test image is read, predicted, scored or ranked."""

from __future__ import annotations

import dataclasses

import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from benchmark.cli import main
from benchmark.data.views import list_views
from benchmark.errors import UserError
from benchmark.kinds.external_validation_run import evaluate
from benchmark.records.predictions import read_predictions
from benchmark.records.row import WITHOUT_TEST
from benchmark.scheduling.reproduce import Reproduction
from benchmark.scoring.stored import headline, stored_scores
from benchmark.suites.ensembles import Ensemble
from tests.execution.conftest import Bench, make_suite, write_row
from tests.records.written import write_predictions
from tests.report.made_rows import without_test


def split_names(bench, row) -> set[str]:
    path = bench.results.predictions_path(row.spec_id, row.dataset.redistributable)
    return set(read_predictions(path, row.dataset.task.kind).split.tolist())


@pytest.fixture(scope="module")
def ran(phantom, tmp_path_factory) -> Bench:
    """Three models without test, and one of them with; a cache of their own."""
    prepared, data_dir, _ = phantom
    folder = tmp_path_factory.mktemp("no_test")
    bench = Bench((prepared, data_dir, folder / "cache"), folder / "results")
    suite = make_suite(["constant", "metadata_only", "linear"])
    bench.run(bench.plan(suite, no_test=True))
    return bench


def test_no_test_image_is_read_predicted_or_counted(ran):
    rows = ran.rows()
    assert rows.keys() == {"constant", "metadata_only", "linear"}
    for row in rows.values():
        assert row.done, row.reason
        assert row.watermarks == [WITHOUT_TEST]
        assert row.counts.keys() == {"train", "validation"}
        assert split_names(ran, row) == {"train", "validation"}
    views = {view.made_of.split for view in list_views(ran.cache_dir)}
    assert views == {"train", "validation"}


def test_what_is_known_of_it_is_of_validation(ran):
    row = ran.rows()["linear"]
    scores = stored_scores(ran.results, row)
    assert scores.splits.keys() == {"train", "validation"}
    assert scores.intervals == dict.fromkeys(scores.intervals)
    assert scores.gap["auc"].value is None
    name, value = headline(row, scores)
    assert (name, value) == ("AUC on validation", scores.splits["validation"].metrics["auc"])


def test_it_is_another_spec_and_the_tested_one_keeps_its_id(ran):
    suite = make_suite(["linear"])
    (without,), (tested,) = (ran.plan(suite, no_test=n).specs for n in (True, False))
    assert without.spec.spec_id != tested.spec.spec_id
    assert "no_test" not in tested.spec.as_dict()
    assert (without.status, tested.status) == ("done", "missing")
    assert "without test" in without.spec.label


@pytest.mark.parametrize("of_test", ["added", "lost"])
def test_a_prediction_file_with_another_test_than_the_rows_is_refused(bench, of_test):
    no_test = of_test == "added"
    bench.run(bench.plan(make_suite(["constant"]), no_test=no_test))
    row = bench.rows()["constant"]
    path = bench.results.predictions_path(row.spec_id, row.dataset.redistributable)
    content = read_predictions(path, row.dataset.task.kind)
    if no_test:
        content.split[content.split == "validation"] = "test"
    else:
        content = without_test(content)
    write_predictions(path, content)
    with pytest.raises(UserError, match=r"test split|other splits"):
        stored_scores(bench.results, row)


def test_a_row_that_lost_its_mark_is_refused(ran):
    row = ran.rows()["linear"]
    assert "watermarks" in replace(row, watermarks=[]).contradiction()
    assert (
        "test images"
        in replace(row, counts={**row.counts, "test": row.counts["train"]}).contradiction()
    )
    assert not row.contradiction()


# What cannot do without


def test_an_ensemble_is_refused_and_says_why(bench):
    vote = Ensemble("vote", "hard_vote", ("constant", "metadata_only"))
    suite = make_suite(["constant", "metadata_only"])
    plan = bench.plan(dataclasses.replace(suite, ensembles=(vote,)), no_test=True)
    refusals = {p.spec.model: p.refusal for p in plan.specs}
    assert refusals["constant"] is None
    assert "choose its members first" in refusals["vote"]


def test_a_protocol_that_validates_on_test_images_is_refused(bench):
    suite = make_suite(["constant"], datasets=["thorax_phantom/small@legacy_s2"])
    (planned,) = bench.plan(suite, no_test=True).specs
    assert "validation images may be test images" in planned.refusal


def test_a_network_without_test_is_not_tested_elsewhere(bench):
    (planned,) = bench.plan(make_suite(["linear"]), no_test=True).specs
    row = write_row(bench.results, planned, counts=without(planned.prepared.counts))
    with pytest.raises(UserError, match="run without test"):
        next(
            evaluate(
                [row], bench.prepared, planned.model_file, bench.results, bench.cache_dir, None
            )
        )


def without(counts):
    return {split: each for split, each in counts.items() if split != "test"}


def test_reproducing_it_compares_what_there_is(ran):
    row = ran.rows()["linear"]
    numbers = {"train auc": (0.9, 0.9), "validation auc": (0.8, 0.81)}
    name, difference = Reproduction(row, row, numbers, 0.0, {}).compared
    assert name == "the validation score"
    assert difference == pytest.approx(0.01)


def test_the_command_has_it_and_says_what_it_means(ran):
    said = CliRunner().invoke(main, ["run", "--help"]).output
    assert "--no-test" in said
    assert "never ranked" in " ".join(said.split())
