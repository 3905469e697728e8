"""What a recipe may say, and that what it says later leaves earlier specs their ids."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.errors import UnknownName, UserError
from benchmark.training.recipe import (
    BATCH_NORMS,
    DECAYED,
    LATER,
    OPTIMIZERS,
    PRECISIONS,
    SCHEDULES,
    Recipe,
    make_recipe,
)
from tests.suites.committed import committed_results


def test_a_recipe_of_a_committed_row_is_said_in_the_same_words_today():
    recipes = [row.spec.recipe for row in committed_results().rows()]
    whole = [recipe for recipe in recipes if "optimizer" in recipe]
    assert len(whole) >= 30
    assert all(Recipe(**recipe).as_dict() == recipe for recipe in whole)


@pytest.mark.parametrize("precision", PRECISIONS)
def test_the_precision_is_no_value_of_the_recipe_in_a_spec(precision):
    recipe = make_recipe({"precision": precision})
    assert recipe.precision == precision
    assert recipe.as_dict() == make_recipe().as_dict()
    assert "precision" not in recipe.as_dict()
    assert make_recipe().precision == "float32"


@pytest.mark.parametrize("precision", ["auto", "bfloat16", "float64"])
def test_another_precision_is_refused(precision):
    with pytest.raises(UnknownName, match=f"'{precision}'.*float32"):
        make_recipe({"precision": precision})


def test_the_code_is_no_value_of_a_recipe():
    with pytest.raises(UnknownName, match="version"):
        make_recipe({"version": 3})


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "optimizer": st.sampled_from(OPTIMIZERS),
            "learning_rate": st.floats(1e-8, 10),
            "schedule": st.sampled_from(SCHEDULES),
            "warmup_steps": st.integers(0, 10_000),
            "epochs": st.integers(1, 1000),
            "precision": st.sampled_from(PRECISIONS),
            "clip_norm": st.floats(0, 100),
            "accumulate": st.sampled_from([1, 2, 4, 32]),
            "weight_decay": st.floats(0, 1) | st.just(0.004),
            "head_epochs": st.integers(1, 50),
            "finetune_factor": st.floats(1e-6, 1),
            "name": st.sampled_from(["", "reference", "gone"]),
            "warmup_share": st.floats(0, 0.99),
            "decayed": st.sampled_from(DECAYED),
            "label_smoothing": st.floats(0, 0.99),
            "ema_epochs": st.floats(0, 10),
            "batch_norm": st.sampled_from(BATCH_NORMS),
        },
    )
)
@settings(max_examples=100, deadline=None)
def test_what_a_spec_says_of_a_recipe_makes_the_same_recipe(values):
    recipe = make_recipe(values)
    said = json.loads(json.dumps(recipe.as_dict()))
    assert make_recipe(said, {"precision": recipe.precision}) == recipe


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("clip_norm", 1.0),
        ("accumulate", 2),
        ("weight_decay", 0.05),
        ("name", "reference"),
        ("warmup_share", 0.1),
        ("decayed", "kernels"),
        ("label_smoothing", 0.1),
        ("ema_epochs", 1.0),
    ],
)
def test_a_later_value_is_said_only_where_it_is_not_the_usual_one(name, value):
    assert name in LATER
    assert name not in make_recipe().as_dict()
    said = make_recipe({name: value}).as_dict()
    assert said[name] == value
    assert make_recipe(said) == make_recipe({name: value})


def test_parts_of_a_batch_are_equal():
    assert make_recipe({"batch_size": 32, "accumulate": 4}).micro_batch == 8
    with pytest.raises(UserError, match="batch_size 32 does not divide into 3"):
        make_recipe({"accumulate": 3})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("clip_norm", -1.0),
        ("weight_decay", -0.1),
        ("accumulate", 0),
        ("warmup_steps", -1),
        ("warmup_share", 1.0),
        ("decayed", "biases"),
        ("label_smoothing", -0.1),
        ("label_smoothing", 1.0),
        ("ema_epochs", -1.0),
        ("ema_epochs", float("nan")),
    ],
)
def test_a_value_out_of_range_is_named(name, value):
    with pytest.raises(UserError, match=name):
        make_recipe({name: value})


def test_an_unknown_key_suggests_the_nearest():
    with pytest.raises(UnknownName, match="Did you mean 'clip_norm'"):
        make_recipe({"clipnorm": 1.0})


def test_the_later_and_more_special_value_wins():
    assert make_recipe({"epochs": 3, "patience": 1}, {"epochs": 5}).epochs == 5
