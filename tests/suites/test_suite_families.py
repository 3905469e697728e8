"""Which configurations of a suite are compared: what a file may say, and what a family shares."""

from __future__ import annotations

import pytest

from benchmark.errors import UnknownName, UserError
from benchmark.suites import load_suite, suites
from benchmark.suites.families import DEFAULT, VARIED, fixed, is_baseline, read_families
from tests.records.rows import a_spec


@pytest.mark.parametrize("name", suites())
def test_committed_suites_declare_families_of_axes_that_there_are(name):
    families = load_suite(name).families
    assert families
    assert set(families) <= VARIED.keys()


def test_a_suite_that_says_nothing_compares_its_models(tmp_path):
    text = (suites()["pneumonia"]).read_text().replace('families = ["models"]\n', "")
    (tmp_path / "plain.toml").write_text(text)
    assert load_suite("plain", tmp_path).families == DEFAULT


@pytest.mark.parametrize("wrong", ["models", [], [1], ["models", "models"]])
def test_what_is_no_list_of_axes_is_refused(wrong):
    with pytest.raises(UserError, match=r"here.*families"):
        read_families("here", wrong)


def test_an_axis_within_which_nothing_is_compared_is_refused():
    with pytest.raises(UnknownName, match="resolution"):
        read_families("here", ["resolution"])


def test_a_family_shares_everything_but_its_axis():
    spec = a_spec(model="cnn", resolution=64, scheme="scratch", weights="random")
    assert fixed(spec, "models") == fixed(a_spec(model="mlp", resolution=64, scheme="scratch",
                                                 weights="random"), "models")  # fmt: skip
    other = a_spec(model="cnn", resolution=128, scheme="scratch", weights="random")
    assert fixed(spec, "models") != fixed(other, "models")
    assert fixed(spec, "resolutions") == fixed(other, "resolutions")
    tuned = a_spec(model="cnn", resolution=64, scheme="finetune", weights="imagenet")
    assert fixed(spec, "scheme") == fixed(tuned, "scheme")


def test_a_named_recipe_and_the_precision_are_shared_and_a_vote_has_neither():
    spec = a_spec(model="cnn", recipe={"name": "short"}, precision="float32")
    said = dict(fixed(spec, "models"))
    assert (said["recipe"], said["precision"]) == ("short", "float32")
    vote = a_spec(model="vote", recipe={}, precision="")
    assert set(dict(fixed(vote, "models"))) == set(said) - {"recipe", "precision"}


def test_what_sees_no_image_is_a_baseline_but_for_predictions_from_elsewhere():
    assert is_baseline(a_spec(resolution=0, kind="metadata_baseline"))
    assert not is_baseline(a_spec(resolution=0, kind="external"))
    assert not is_baseline(a_spec(resolution=64))
