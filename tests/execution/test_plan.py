"""Planning needs no framework: what is there, what is missing, what cannot run and why."""

from __future__ import annotations

import dataclasses

import msgspec
import pytest

from benchmark.data import preprocessing
from benchmark.data.prepared import NotPrepared
from benchmark.errors import UnknownName, UserError
from benchmark.kinds.code import code_of
from benchmark.models import discover
from benchmark.planning.cost import nominal_seconds
from benchmark.planning.points import within_budget
from benchmark.planning.resolve import make_plan
from benchmark.records.row import Made
from benchmark.records.run_facts import Failure
from benchmark.suites.ensembles import Ensemble
from benchmark.suites.suite import LungNetwork
from tests.execution.conftest import CARD, LINEAR, Bench, make_suite, with_leakage, write_row

VOTE = Ensemble("vote", "soft_vote", ("linear", "mlp"))


def names(plan):
    return [p.spec.model for p in plan.specs]


def test_seeds_multiply_only_models_with_chance_in_them(bench):
    plan = bench.plan(make_suite(["linear", "constant", "metadata_only"], seeds=(0, 1, 2)))
    assert sorted(names(plan)) == ["constant", "linear", "linear", "linear", "metadata_only"]


def test_blocks_of_a_model_have_seeds_of_their_own(bench):
    blocks = [{"seeds": [0, 1]}, {"resolutions": [32], "seeds": [5]}]
    suite = dataclasses.replace(make_suite(["linear"], size=64), matrix_for={"linear": blocks})
    specs = [p.spec for p in bench.plan(suite).specs]
    assert [(s.resolution, s.seed) for s in specs] == [(64, 0), (64, 1), (32, 5)]


def test_models_without_images_run_once_whatever_the_image_axes(bench):
    suite = make_suite(["linear", "constant"], augmentation=["none", "flip"])
    assert sorted(names(bench.plan(suite))) == ["constant", "linear", "linear"]


def test_cheap_models_come_first(bench):
    plan = bench.plan(make_suite(["resnet50", "linear", "constant", "googlenet"], size=64))
    assert names(plan) == ["constant", "linear", "googlenet", "resnet50"]


def test_a_star_means_every_model_that_predicts_findings(bench):
    classifiers = {n for n, file in discover().items() if file.card["predicts"] == "findings"}
    classifiers -= {"geometry_only"}  # the phantom's files all have one shape
    assert set(names(bench.plan(make_suite(["*"], size=64)))) == classifiers


def test_a_filter_narrows(bench):
    suite = make_suite(["linear", "mlp"], seeds=(0, 1))
    plan = bench.plan(suite, wanted={"model": {"mlp"}, "seed": {"1"}})
    assert [(p.spec.model, p.spec.seed) for p in plan.specs] == [("mlp", 1)]


def test_a_filter_that_matches_nothing_names_what_there_is(bench):
    suite = make_suite(["linear", "mlp", "constant"], seeds=(0, 1), size=32)
    with pytest.raises(UnknownName, match=r"size in the filter '33'\. Did you mean '32'"):
        bench.plan(suite, wanted={"resolution": {"33"}})
    with pytest.raises(UnknownName, match=r"model in the filter 'cnn'.* constant, linear, mlp"):
        bench.plan(suite, wanted={"seed": {"0"}, "model": {"cnn"}})
    with pytest.raises(UserError, match="model=constant and size=32 at once"):
        bench.plan(suite, wanted={"model": {"constant"}, "resolution": {"32"}})


def test_two_suites_share_a_spec(bench):
    suite = make_suite(["linear"], augmentation=["none", "none"])
    assert len(bench.plan(suite).specs) == 1


def test_an_image_too_small_for_a_model_is_refused_with_its_limits(bench):
    (planned,) = bench.plan(make_suite(["resnet50"], size=16)).specs
    assert "from 32 px" in planned.refusal


def test_a_policy_that_has_no_meaning_for_the_task_is_refused_before_training(bench):
    suite = make_suite(["linear", "constant"], imbalance=["focal", "copies_s0"])
    plan = bench.plan(suite)
    refusals = {p.spec.imbalance: p.refusal for p in plan.specs}
    assert refusals["focal"] is refusals[""] is None
    assert "copies_s0' is for binary tasks, not for a multilabel one" in refusals["copies_s0"]
    assert len(plan.to_run()) == 2


def test_a_recipe_follows_model_and_size(bench):
    suite = make_suite(["linear"], resolutions=[16, 32], recipe={"accumulate": 2})
    object.__setattr__(suite, "recipe_for", {"linear@32": {"batch_size": 8}})
    specs = {p.spec.resolution: p.spec for p in bench.plan(suite).specs}
    assert (specs[16].recipe["batch_size"], specs[16].micro_batch) == (16, 8)
    assert (specs[32].recipe["batch_size"], specs[32].micro_batch) == (8, 4)


def test_a_leaking_set_is_refused_and_a_suspected_one_is_not(bench):
    suite = make_suite(["linear"])
    (leaking,) = bench.plan(suite, prepared=with_leakage(bench.prepared, "leak")).specs
    assert "leaks: because" in leaking.refusal
    (suspected,) = bench.plan(suite, prepared=with_leakage(bench.prepared, "suspected")).specs
    assert suspected.refusal is None


def test_a_set_that_is_not_prepared_is_named(bench):
    plan = bench.plan(make_suite(["linear"]), prepared=NotPrepared("a/b", bench.data_dir))
    assert plan.unprepared == {"thorax_phantom/small": ["test"]}
    assert plan.specs == []


def test_a_broken_model_file_is_one_refused_spec(phantom, tmp_path, bad_models):
    bench = Bench(phantom, tmp_path, [bad_models])
    plan = bench.plan(make_suite(["broken", "linear"], seeds=(0, 1, 2)))
    broken = [p for p in plan.specs if p.spec.model == "broken"]
    assert len(broken) == 1
    assert "broken.py" in broken[0].refusal
    assert len(plan.to_run()) == 3


def test_the_budget_keeps_the_cheapest_models_unless_one_is_named(bench):
    suite = make_suite(["constant", "linear", "resnet50"], size=64)
    card = discover()["linear"].card
    (linear,) = [p for p in bench.plan(suite).specs if p.spec.model == "linear"]
    minutes = (nominal_seconds(linear.spec, card, bench.prepared.counts) + 2) / 60
    tight = make_suite(["constant", "linear", "resnet50"], size=64)
    object.__setattr__(tight, "budget_minutes", minutes)
    plan = bench.plan(tight)
    assert names(plan) == ["constant", "linear"]
    assert plan.over_budget == {"test": ["resnet50"]}
    assert names(bench.plan(tight, wanted={"model": {"resnet50"}})) == ["resnet50"]


def test_the_price_of_a_size_is_that_of_its_pixels_and_of_its_own_recipe(bench):
    suite = make_suite(["cnn"], resolutions=[56, 224])
    object.__setattr__(suite, "recipe_for", {"*@224": {"epochs": 1, "batch_size": 8}})
    small, large = (planned.spec for planned in bench.plan(suite).specs)
    assert [small.resolution, large.resolution] == [56, 224]
    assert [s.recipe["epochs"] for s in (small, large)] == [2, 1]
    assert [s.recipe["batch_size"] for s in (small, large)] == [16, 8]
    card = discover()["cnn"].card

    def computing(spec):
        free = nominal_seconds(spec, {**card, "gmacs_224": 0.0}, bench.prepared.counts)
        return nominal_seconds(spec, card, bench.prepared.counts) - free

    assert computing(large) / computing(small) == pytest.approx((224 / 56) ** 2 / 2)


def test_named_models_have_the_budget_before_the_others(bench):
    suite = make_suite(["mlp", "*"], size=64)
    object.__setattr__(suite, "budget_minutes", 1e9)
    assert names(bench.plan(suite))[:2] == ["mlp", "constant"]


def test_within_budget_stops_at_the_first_that_does_not_fit():
    cost = {"a": 1.0, "b": 5.0, "c": 0.5}
    assert within_budget(["a", "b", "c"], cost, 3) == ["a"]


def test_the_status_follows_the_row(bench):
    suite = make_suite(["linear"])
    (planned,) = bench.plan(suite).specs
    assert planned.status == "missing"
    for status in ("done", "failed"):
        write_row(bench.results, planned, status)
        assert bench.plan(suite).specs[0].status == status
        assert bench.plan(suite).to_run() == []
    assert len(bench.plan(suite, rerun="failed").to_run()) == 1


def test_a_row_whose_predictions_are_gone_is_missing(bench):
    suite = make_suite(["linear"])
    (planned,) = bench.plan(suite).specs
    write_row(bench.results, planned)
    bench.results.predictions_path(planned.spec.spec_id).unlink()
    assert bench.plan(suite).specs[0].status == "missing"
    assert len(bench.plan(suite).to_run()) == 1


@pytest.mark.parametrize(
    ("place", "component"),
    [
        ("benchmark.training.VERSION", "training"),
        ("benchmark.kinds.base.Kind.version", "kind"),
        ("benchmark.kinds.code.DECODE_VERSION", "decoding"),
    ],
)
def test_another_version_of_a_component_makes_a_row_stale(bench, monkeypatch, place, component):
    suite = make_suite(["linear"])
    (planned,) = bench.plan(suite).specs
    row = write_row(bench.results, planned)
    monkeypatch.setattr(place, 99)
    _is_stale(bench, suite)
    (again,) = bench.plan(suite).specs
    assert again.spec == planned.spec, "what is asked for is the same"
    now = code_of(again.spec, again.model_file)
    assert {name for name in now if now[name] != row.code[name]} == {component}
    write_row(bench.results, planned, "failed", code=row.code)
    assert bench.plan(suite).specs[0].status == "missing", "the fault may be mended"


def test_another_version_of_the_preprocessing_makes_its_rows_stale_and_no_others(
    bench, monkeypatch
):
    suite = make_suite(["linear"], preprocessing=["raw", "clahe"])
    for planned in bench.plan(suite).specs:
        write_row(bench.results, planned)
    clahe = preprocessing.find("clahe")
    clahe.card["version"] = 99
    find = preprocessing.find
    monkeypatch.setattr(preprocessing, "find", lambda n: clahe if n == "clahe" else find(n))
    found = {p.spec.preprocessing: p.status for p in bench.plan(suite).specs}
    assert found == {"raw": "done", "clahe": "stale"}


def test_a_change_of_a_model_file_of_ones_own_makes_its_rows_stale_and_a_comment_does_not(
    phantom, tmp_path
):
    file, suite = tmp_path / "own.py", make_suite(["own"])
    code = f"{CARD}def build(input_shape, task, weights):{LINEAR}"
    file.write_text(code)
    bench = Bench(phantom, tmp_path / "results", [tmp_path])
    (planned,) = bench.plan(suite).specs
    write_row(bench.results, planned)
    file.write_text(code + "\n\n# the same\n")
    assert bench.plan(suite).specs[0].status == "done"
    file.write_text(code.replace("Flatten()", "GlobalAveragePooling2D()"))
    _is_stale(bench, suite)


def _is_stale(bench, suite):
    assert bench.plan(suite).specs[0].status == "stale"
    assert bench.plan(suite).to_run() == []
    assert len(bench.plan(suite, rerun="stale").to_run()) == 1


def test_a_member_that_was_made_anew_makes_an_ensemble_stale_and_an_unchanged_one_does_not(bench):
    suite = dataclasses.replace(make_suite(["linear", "mlp"]), ensembles=(VOTE,))
    *members, vote = bench.plan(suite).specs
    rows = {planned.spec.model: write_row(bench.results, planned) for planned in members}
    used = {
        f"member:{name}": Made(spec_id=row.spec_id, predictions_sha256=row.predictions_sha256)
        for name, row in rows.items()
    }
    write_row(bench.results, vote, made_from=used)
    bench.results.write_row(msgspec.structs.replace(rows["mlp"], finished="later"))
    assert _statuses(bench, suite) == {"linear": "done", "mlp": "done", "vote": "done"}
    bench.results.write_row(msgspec.structs.replace(rows["mlp"], predictions_sha256="0" * 64))
    assert _statuses(bench, suite) == {"linear": "done", "mlp": "done", "vote": "stale"}
    bench.results.write_row(msgspec.structs.replace(rows["mlp"], code={"training": "0"}))
    assert _statuses(bench, suite) == {"linear": "done", "mlp": "stale", "vote": "stale"}


def _statuses(bench, suite):
    return {p.spec.model: p.status for p in bench.plan(suite).specs}


def test_nothing_of_the_machine_is_in_an_id(bench, monkeypatch):
    suite = make_suite(["linear", "constant"])
    before = [p.spec for p in bench.plan(suite).specs]
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    monkeypatch.setenv("CXR_BENCH_DEVICE", "tpu")
    monkeypatch.setattr("os.sched_getaffinity", lambda process: {0})
    assert [p.spec.spec_id for p in bench.plan(suite).specs] == [s.spec_id for s in before]


def test_another_precision_is_another_spec_of_what_is_trained_and_of_nothing_else(bench):
    models = ["linear", "mlp", "constant", "metadata_only"]
    suite = dataclasses.replace(make_suite(models), ensembles=(VOTE,))
    usual = {p.spec.model: p.spec for p in bench.plan(suite).specs}
    reduced = {p.spec.model: p.spec for p in bench.plan(suite, precision="mixed_bfloat16").specs}
    for model in ("linear", "mlp"):
        assert (usual[model].precision, reduced[model].precision) == ("float32", "mixed_bfloat16")
        assert usual[model].spec_id != reduced[model].spec_id
        assert usual[model].recipe == reduced[model].recipe
    for model in ("constant", "metadata_only"):
        assert usual[model] == reduced[model]
        assert usual[model].precision == ""
    vote, reduced_vote = usual["vote"], reduced["vote"]
    assert vote.precision == reduced_vote.precision == ""
    # A vote computes with no precision of its own; it is another one since its members are.
    assert msgspec.structs.replace(reduced_vote, requires=vote.requires) == vote


def test_a_member_that_predicts_masks_is_refused(bench):
    suite = make_suite(["linear", "unet"])
    vote = Ensemble("vote", "soft_vote", ("linear", "unet"))
    with pytest.raises(UserError, match="vote of suite test: its member unet does not predict"):
        bench.plan(dataclasses.replace(suite, ensembles=(vote,)))


@pytest.mark.parametrize(
    ("named", "fault"),
    [
        (LungNetwork("phantom", "linear"), "model linear on .* finds no lungs"),
        (LungNetwork("phantom", "unet"), "model unet on thorax_phantom/.* finds no lungs"),
        (LungNetwork("lungs", "mean_mask"), "model mean_mask on .* finds no lungs"),
        (LungNetwork("lungs", "nix"), "unknown model 'nix'"),
    ],
)
def test_a_lung_network_that_finds_no_lungs_is_refused(bench, named, fault):
    suite = make_suite(["linear"], preprocessing=["lung_masked"])
    masks = NotPrepared("lung_masks/kermany_pairs", bench.data_dir)
    sets = {"thorax_phantom/default": bench.prepared, "lung_masks/kermany_pairs": masks}
    with pytest.raises(UserError, match=fault):
        bench.plan(dataclasses.replace(suite, lungs=named), others=sets)


def test_a_spec_that_another_run_ends_meanwhile_does_not_stop_the_plan(bench):
    suite = make_suite(["mlp"], recipe={"batch_size": 32})
    (planned,) = bench.plan(suite).specs
    write_row(bench.results, planned, "failed", error=Failure(reason="memory", fallback="a" * 12))
    inputs = bench.inputs()
    write_row(bench.results, planned)
    assert len(make_plan([suite], inputs).specs) == 1
