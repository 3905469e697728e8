"""What a recipe may say, and that what it says later leaves earlier cells their ids."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmark.errors import UnknownName, UserError
from benchmark.training.recipe import LATER, Recipe, make_recipe

ROWS = sorted((Path(__file__).parents[2] / "results" / "rows").glob("*.json"))


def test_a_recipe_of_a_committed_row_is_said_in_the_same_words_today():
    recipes = [json.loads(path.read_bytes())["cell"]["recipe"] for path in ROWS]
    whole = [recipe for recipe in recipes if "optimizer" in recipe]
    assert len(whole) >= 30
    assert all(Recipe(**recipe).as_dict() == recipe for recipe in whole)


@pytest.mark.parametrize(
    ("name", "value"), [("clip_norm", 1.0), ("accumulate", 2), ("weight_decay", 0.05)]
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
    [("clip_norm", -1.0), ("weight_decay", -0.1), ("accumulate", 0), ("warmup_steps", -1)],
)
def test_a_value_out_of_range_is_named(name, value):
    with pytest.raises(UserError, match=name):
        make_recipe({name: value})


def test_an_unknown_key_suggests_the_nearest():
    with pytest.raises(UnknownName, match="Did you mean 'clip_norm'"):
        make_recipe({"clipnorm": 1.0})


def test_the_later_and_more_special_value_wins():
    assert make_recipe({"epochs": 3, "patience": 1}, {"epochs": 5}).epochs == 5
