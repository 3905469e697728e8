"""Named recipes: one file each, under which a suite's own values are said."""

from __future__ import annotations

import pytest

from benchmark.errors import UnknownName, UserError
from benchmark.training import recipes
from benchmark.training.recipe import make_recipe

MINE = """
title = "Mine"
description = "For a test."
source = "Nobody."

[values]
optimizer = "adamw"
weight_decay = 0.05
epochs = 7
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "mine.toml").write_text(MINE)
    return tmp_path


@pytest.mark.parametrize("name", recipes.names())
def test_a_shipped_recipe_says_whose_practice_it_is_and_makes_sense(name):
    recipe = recipes.find(name)
    assert recipe.title
    assert recipe.description.endswith(".")
    assert "arXiv" in recipe.source or "doi" in recipe.source
    assert make_recipe(recipes.with_named({"name": name})).name == name


def test_there_is_one_to_train_out_and_one_to_look():
    reference, short = (make_recipe(recipes.find(name).values) for name in ("reference", "short"))
    assert short.epochs < reference.epochs


def test_a_suites_values_stand_above_those_of_the_recipe_that_they_name(folder):
    values = recipes.with_named({"name": "mine", "epochs": 3}, folder)
    assert values == {"name": "mine", "optimizer": "adamw", "weight_decay": 0.05, "epochs": 3}
    assert recipes.with_named({"epochs": 3}, folder) == {"epochs": 3}


def test_an_unknown_name_suggests_the_nearest(folder):
    with pytest.raises(UnknownName, match=r"unknown recipe 'min'.*Did you mean 'mine'"):
        recipes.with_named({"name": "min"}, folder)
    with pytest.raises(UserError, match="name must be text"):
        recipes.with_named({"name": 3}, folder)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (MINE.replace("title", "titel"), "Did you mean 'title'"),
        (MINE.replace('source = "Nobody."', ""), "lacks source"),
        (MINE.replace("epochs", "epoch"), "Did you mean 'epochs'"),
        (MINE.replace("= 7", "= 0"), "epochs must be above zero"),
        (MINE + 'name = "yours"\n', "named by its file"),
        ("title =", "broken.toml"),
    ],
    ids=lambda text: text[-20:],
)
def test_a_file_that_is_wrong_is_said_to_be(tmp_path, text, fault):
    (tmp_path / "broken.toml").write_text(text)
    with pytest.raises(UserError, match=fault):
        recipes.find("broken", tmp_path)


def test_what_a_spec_differs_in_from_its_recipe():
    values = recipes.with_named({"name": "reference"})
    assert recipes.differing(make_recipe(values).as_dict()) == {"name": "reference"}
    usual = {"weight_decay": make_recipe().weight_decay, "batch_size": 7}
    said = make_recipe(values, usual).as_dict()
    assert "weight_decay" not in said
    assert recipes.differing(said) == {"name": "reference", **usual}
    for unnamed in ({"epochs": 3}, {"epochs": 3, "name": "gone"}):
        assert recipes.differing(unnamed) == unnamed
