"""Ensembles in a plan: behind their members, found by id, never run for nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest
from msgspec import structs

from benchmark.errors import UnknownName, UserError
from benchmark.spec import requirement
from benchmark.suites.ensembles import Ensemble
from tests.ensembles.conftest import with_ensembles
from tests.execution.conftest import with_leakage

VOTE = Ensemble("vote", "soft_vote", ("mlp", "linear"), weights=(1.0, 2.0))


def of(plan, name):
    return [planned for planned in plan.specs if planned.spec.model == name]


def by_id(plan):
    return {planned.spec.spec_id: planned.spec for planned in plan.specs}


def ids(planned):
    return {each.spec.spec_id for each in planned}


def test_an_ensemble_has_a_cell_for_each_seed_and_variant_behind_its_members(bench):
    suite = with_ensembles(VOTE, seeds=(0, 1), augmentation=["none", "flip"])
    plan = bench.plan(suite)
    votes = of(plan, "vote")
    assert [p.spec.model for p in plan.specs[-4:]] == ["vote"] * 4
    assert {(p.spec.seed, p.spec.augmentation) for p in votes} == {
        (seed, augmentation) for seed in (0, 1) for augmentation in ("none", "flip")
    }
    assert len({p.spec.config_id for p in votes}) == 2  # seeds share one


def test_the_members_are_the_suites_own_cells(bench):
    for suite in (
        with_ensembles(VOTE, seeds=(0, 1)),
        with_ensembles(replace(VOTE, members=("constant", "mlp")), seeds=(0, 1)),
    ):
        plan = bench.plan(suite)
        planned = by_id(plan)
        for vote in of(plan, "vote"):
            found = {model: planned[member] for model, member in vote.spec.members.items()}
            assert {model: spec.model for model, spec in found.items()} == {m: m for m in found}
            assert all(spec.seed == vote.spec.seed for n, spec in found.items() if n != "constant")
            assert all(
                vote.spec.requires[f"member:{n}"] == requirement(spec) for n, spec in found.items()
            )


def test_a_model_without_chance_stands_beside_every_seed(bench):
    suite = with_ensembles(replace(VOTE, members=("constant", "mlp")), seeds=(0, 1))
    plan = bench.plan(suite)
    votes = of(plan, "vote")
    assert {by_id(plan)[vote.spec.members["constant"]].seed for vote in votes} == {0}
    assert len({vote.spec.config_id for vote in votes}) == 1
    alone = of(bench.plan(with_ensembles(suite.ensembles[0])), "vote")
    assert ids(alone) < ids(votes)  # more seeds later do not orphan the first


def test_ensembles_leave_the_ids_of_models_as_they_are(bench):
    with_vote, without = bench.plan(with_ensembles(VOTE)), bench.plan(with_ensembles())
    assert ids(without.specs) == ids(with_vote.specs) - ids(of(with_vote, "vote"))


@pytest.mark.parametrize(
    "other",
    [
        replace(VOTE, kind="hard_vote"),
        replace(VOTE, weights=(2.0, 1.0)),
        replace(VOTE, members=("mlp", "constant")),
    ],
)
def test_another_rule_or_member_is_another_cell(bench, other):
    one, two = (of(bench.plan(with_ensembles(e)), "vote")[0].spec for e in (VOTE, other))
    assert one.spec_id != two.spec_id
    assert one.config_id != two.config_id


def test_another_recipe_of_a_member_is_another_cell(bench):
    short, long = (
        of(bench.plan(with_ensembles(VOTE, recipe={"epochs": n})), "vote")[0].spec for n in (1, 2)
    )
    assert short.config_id != long.config_id


def test_the_order_of_members_does_not_matter(bench):
    turned = replace(VOTE, members=("linear", "mlp"), weights=(2.0, 1.0))
    one, two = (of(bench.plan(with_ensembles(e)), "vote")[0].spec for e in (VOTE, turned))
    assert one.spec_id == two.spec_id


def test_what_an_ensemble_trains_has_a_recipe_of_its_own(bench):
    joined = Ensemble("joined", "joined_features", ("mlp", "linear"), k=2, recipe={"epochs": 9})
    plan = bench.plan(with_ensembles(VOTE, joined, recipe={"patience": 7}))
    recipe = of(plan, "joined")[0].spec.recipe
    assert (recipe["epochs"], recipe["patience"]) == (9, 7)
    assert of(plan, "vote")[0].spec.recipe == {}


def test_the_precision_is_that_of_what_an_ensemble_trains(bench):
    asked = {"precision": "mixed_bfloat16"}
    joined = Ensemble("joined", "joined_features", ("mlp", "linear"), k=2, recipe=asked)
    suite = with_ensembles(VOTE, joined)
    for precision, expected in ((None, "mixed_bfloat16"), ("mixed_float16", "mixed_float16")):
        plan = bench.plan(suite, precision=precision)
        assert of(plan, "joined")[0].spec.precision == expected
        assert of(plan, "mlp")[0].spec.precision == (precision or "float32")
        assert of(plan, "vote")[0].spec.precision == "", "its members say in which they computed"


def test_an_ensemble_says_how_its_members_were_trained(bench):
    plan = bench.plan(with_ensembles(VOTE, scheme=["scratch", "frozen"], weights=["random"]))
    votes = {vote.spec.scheme: vote.spec for vote in of(plan, "vote")}
    assert votes.keys() == {"scratch", "frozen"}
    for scheme, vote in votes.items():
        assert {by_id(plan)[member].scheme for member in vote.members.values()} == {scheme}
        assert (vote.kind, vote.weights) == ("vote", "random")


def test_a_filter_finds_ensembles_by_name(bench):
    suite = with_ensembles(VOTE, seeds=(0, 1))
    plan = bench.plan(suite, wanted={"model": {"vote"}, "seed": {"1"}})
    needed = [(p.spec.model, p.spec.seed) for p in plan.specs]
    assert needed == [("mlp", 1), ("linear", 1), ("vote", 1)], "its members first, and no other"
    assert of(bench.plan(suite, wanted={"model": {"mlp"}}), "vote") == []
    with pytest.raises(UnknownName, match="Did you mean 'vote'"):
        bench.plan(suite, wanted={"model": {"voet"}})


def test_an_ensemble_of_a_leaking_set_is_refused_with_its_members(bench):
    plan = bench.plan(with_ensembles(VOTE), prepared=with_leakage(bench.prepared, "leak"))
    assert {"leaks: because" in planned.refusal for planned in plan.specs} == {True}
    assert plan.to_run() == []


@pytest.mark.parametrize(
    ("ensemble", "reason"),
    [
        (Ensemble("e", "specialist", ("mlp",)), "exclusive findings; this is a multilabel task"),
        (Ensemble("e", "joined_features", ("mlp", "constant"), k=2), "constant sees no image"),
    ],
)
def test_an_ensemble_that_makes_no_sense_is_refused_before_anything_is_trained(
    bench, ensemble, reason
):
    (planned,) = of(bench.plan(with_ensembles(ensemble)), "e")
    assert reason in planned.refusal


def test_a_specialist_needs_a_finding_to_leave_to_the_first_model(bench):
    facts = structs.replace(bench.prepared.facts, kind="multiclass")
    exclusive = replace(bench.prepared, facts=facts)
    for k, refused in ((7, True), (6, False)):
        suite = with_ensembles(Ensemble("e", "specialist", ("mlp",), k=k))
        (planned,) = of(bench.plan(suite, prepared=exclusive), "e")
        assert bool(planned.refusal) == refused
    assert (
        "smaller k"
        in of(
            bench.plan(
                with_ensembles(Ensemble("e", "specialist", ("mlp",), k=7)), prepared=exclusive
            ),
            "e",
        )[0].refusal
    )


@pytest.mark.parametrize(
    ("ensemble", "fault"),
    [
        (replace(VOTE, members=("mlp", "lniear")), "model in ensemble vote 'lniear'.*'linear'"),
        (replace(VOTE, name="mlp"), "ensemble mlp has the name of a model"),
    ],
)
def test_a_wrong_name_is_explained_also_where_the_suite_takes_every_model(bench, ensemble, fault):
    with pytest.raises(UserError, match=fault):
        bench.plan(with_ensembles(ensemble, models=["*"]))


def test_members_in_different_variants_are_explained(bench):
    suite = with_ensembles(VOTE, augmentation=["none", "flip"])
    suite = replace(suite, matrix_for={"mlp": [{"augmentation": ["flip", "standard"]}]})
    with pytest.raises(UserError, match=r"no spec of .* with 16, raw, unit"):
        bench.plan(suite)


def test_a_member_with_one_variant_stands_beside_all_of_the_others(bench):
    suite = with_ensembles(VOTE, augmentation=["none", "flip"])
    suite = replace(suite, matrix_for={"linear": [{"augmentation": ["standard"]}]})
    plan = bench.plan(suite)
    votes = [(p.spec, by_id(plan)[p.spec.members["linear"]]) for p in of(plan, "vote")]
    told = {(vote.augmentation, linear.augmentation) for vote, linear in votes}
    assert told == {("none", "standard"), ("flip", "standard")}
