"""Planning needs no framework: what is there, what is missing, what cannot run and why."""

from __future__ import annotations

import pytest

from benchmark.data.prepared import NotPrepared
from benchmark.errors import UnknownName
from benchmark.execution.cost import nominal_seconds
from benchmark.execution.plan import within_budget
from benchmark.models import discover
from tests.execution.conftest import Bench, make_suite, with_verdict


def names(plan):
    return [p.cell.model for p in plan.cells]


def test_seeds_multiply_only_models_with_chance_in_them(bench):
    plan = bench.plan(make_suite(["linear", "constant", "metadata_only"], seeds=(0, 1, 2)))
    assert sorted(names(plan)) == ["constant", "linear", "linear", "linear", "metadata_only"]


def test_models_without_images_run_once_whatever_the_image_axes(bench):
    suite = make_suite(["linear", "constant"], augmentation=["none", "flip"])
    assert sorted(names(bench.plan(suite))) == ["constant", "linear", "linear"]


def test_cheap_models_come_first(bench):
    plan = bench.plan(make_suite(["resnet50", "linear", "constant", "googlenet"], size=64))
    assert names(plan) == ["constant", "linear", "googlenet", "resnet50"]


def test_a_star_means_every_model_that_predicts_findings(bench):
    classifiers = {n for n, file in discover().items() if file.card["predicts"] == "findings"}
    assert set(names(bench.plan(make_suite(["*"], size=64)))) == classifiers


def test_a_filter_narrows_and_refuses_unknown_names(bench):
    suite = make_suite(["linear", "mlp"], seeds=(0, 1))
    plan = bench.plan(suite, wanted={"model": {"mlp"}, "seed": {"1"}})
    assert [(p.cell.model, p.cell.seed) for p in plan.cells] == [("mlp", 1)]
    with pytest.raises(UnknownName, match="Did you mean 'linear'"):
        bench.plan(suite, wanted={"model": {"linaer"}})
    with pytest.raises(UnknownName, match="thorax_phantom/small"):
        bench.plan(suite, wanted={"dataset": {"thorax_phantom/smal"}})


def test_two_suites_share_a_cell(bench):
    suite = make_suite(["linear"], augmentation=["none", "none"])
    assert len(bench.plan(suite).cells) == 1


def test_an_image_too_small_for_a_model_is_refused_with_its_limits(bench):
    (planned,) = bench.plan(make_suite(["resnet50"], size=16)).cells
    assert "from 32 px" in planned.refusal


def test_a_policy_that_has_no_meaning_for_the_task_is_refused_before_training(bench):
    suite = make_suite(["linear", "constant"], imbalance=["focal", "copies_s0"])
    plan = bench.plan(suite)
    refusals = {p.cell.imbalance: p.refusal for p in plan.cells}
    assert refusals["focal"] is refusals[""] is None
    assert "copies_s0' is for binary tasks, not for a multilabel one" in refusals["copies_s0"]
    assert len(plan.to_run()) == 2


def test_a_recipe_follows_model_and_size(bench):
    suite = make_suite(["linear"], resolutions=[16, 32], recipe={"accumulate": 2})
    object.__setattr__(suite, "recipe_for", {"linear@32": {"batch_size": 8}})
    cells = {p.cell.resolution: p.cell for p in bench.plan(suite).cells}
    assert (cells[16].recipe["batch_size"], cells[16].micro_batch) == (16, 8)
    assert (cells[32].recipe["batch_size"], cells[32].micro_batch) == (8, 4)


def test_a_leaking_set_is_refused_and_a_suspected_one_is_not(bench):
    suite = make_suite(["linear"])
    (leaking,) = bench.plan(suite, prepared=with_verdict(bench.prepared, "leak")).cells
    assert "leaks: because" in leaking.refusal
    (suspected,) = bench.plan(suite, prepared=with_verdict(bench.prepared, "suspected")).cells
    assert suspected.refusal is None


def test_a_set_that_is_not_prepared_is_named(bench):
    plan = bench.plan(make_suite(["linear"]), prepared=NotPrepared("a/b", bench.data_dir))
    assert plan.unprepared == {"thorax_phantom/small": ["test"]}
    assert plan.cells == []


def test_a_broken_model_file_is_one_refused_cell(phantom, tmp_path, bad_models):
    bench = Bench(phantom, tmp_path, [bad_models])
    plan = bench.plan(make_suite(["broken", "linear"], seeds=(0, 1, 2)))
    broken = [p for p in plan.cells if p.cell.model == "broken"]
    assert len(broken) == 1
    assert "broken.py" in broken[0].refusal
    assert len(plan.to_run()) == 3


def test_the_budget_keeps_the_cheapest_models_unless_one_is_named(bench):
    suite = make_suite(["constant", "linear", "resnet50"], size=64)
    card = discover()["linear"].card
    (linear,) = [p for p in bench.plan(suite).cells if p.cell.model == "linear"]
    minutes = (nominal_seconds(linear.cell, card, bench.prepared.counts) + 2) / 60
    tight = make_suite(["constant", "linear", "resnet50"], size=64)
    object.__setattr__(tight, "budget_minutes", minutes)
    plan = bench.plan(tight)
    assert names(plan) == ["constant", "linear"]
    assert plan.over_budget == {"test": ["resnet50"]}
    assert names(bench.plan(tight, wanted={"model": {"resnet50"}})) == ["resnet50"]


def test_named_models_have_the_budget_before_the_others(bench):
    suite = make_suite(["mlp", "*"], size=64)
    object.__setattr__(suite, "budget_minutes", 1e9)
    assert names(bench.plan(suite))[:2] == ["mlp", "constant"]


def test_within_budget_stops_at_the_first_that_does_not_fit():
    cost = {"a": 1.0, "b": 5.0, "c": 0.5}
    assert within_budget(["a", "b", "c"], cost, 3) == ["a"]


def test_the_status_follows_the_row(bench):
    suite = make_suite(["linear"])
    (planned,) = bench.plan(suite).cells
    assert planned.status == "missing"
    row = {"cell_id": planned.cell.cell_id, "model": {"sha256": planned.model_file.sha256}}
    for status, error in (("done", None), ("failed", {"reason": "it fell", "detail": ""})):
        bench.results.write_row(row | {"status": status, "error": error})
        assert bench.plan(suite).cells[0].status == status
        assert bench.plan(suite).to_run() == []
    assert len(bench.plan(suite, rerun="failed").to_run()) == 1


def test_another_version_of_the_model_file_makes_a_row_stale(bench):
    suite = make_suite(["linear"])
    (planned,) = bench.plan(suite).cells
    row = {"cell_id": planned.cell.cell_id, "model": {"sha256": "another"}}
    bench.results.write_row(row | {"status": "done"})
    assert bench.plan(suite).cells[0].status == "stale"
    assert bench.plan(suite).to_run() == []
    assert len(bench.plan(suite, rerun="stale").to_run()) == 1
    bench.results.write_row(row | {"status": "failed"})
    assert bench.plan(suite).cells[0].status == "missing"
