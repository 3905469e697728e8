"""What may be said of names and numbers is what a row may hold."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from benchmark.bounds import (
    ABOVE_ZERO,
    LARGEST_OF_RECIPE,
    NOT_BELOW,
    OF_RECIPE,
    SHARES,
    is_writable,
)
from benchmark.data.augmentation import AXIS as AUGMENTATIONS
from benchmark.errors import UserError
from benchmark.models import discover
from benchmark.plugins import Axis
from benchmark.records.row import SuiteName
from benchmark.spec import Dataset, Model, RecipeValue, Variant
from benchmark.suites.files import check_suite_name
from benchmark.training.recipe import Recipe, check_recipe
from tfds_builders.errors import DatasetError
from tfds_builders.image_folder.options import check_name

ODD = ["Rotate10", "größer", 61 * "a", 60 * "a", 150 * "a", "a-b", "a\n", "_a", "9a", "a.b", "ａ"]
NAMES = st.sampled_from(ODD) | st.text(max_size=8) | st.from_regex("[a-zA-Z0-9_.-]{1,110}")


def refusal(check: Callable[..., object], *said: object) -> str:
    """What is wrong with it, in words; empty where it is taken."""
    try:
        check(*said)
    except (UserError, DatasetError) as error:
        return str(error)
    return ""


def readable(value: object, kind: object) -> bool:
    """Whether a row that holds it is read back."""
    try:
        return msgspec.json.decode(msgspec.json.encode(value), type=kind) == value
    except msgspec.ValidationError:
        return False


@given(NAMES)
@example("a" * 101)
def test_a_suite_has_no_name_that_its_rows_may_not_have(name):
    assert refusal(check_suite_name, name, ()) or readable(name, SuiteName)


@given(NAMES)
def test_a_set_of_ones_own_has_no_name_that_its_rows_may_not_have(name):
    assert refusal(check_name, name) or readable(f"image_folder/{name}", Dataset)


@pytest.mark.parametrize("name", [name for name in ODD if "\n" not in name])
def test_files_of_models_and_axes_have_no_name_that_rows_may_not_have(tmp_path, name):
    card = AUGMENTATIONS.folder / "flip.py"
    (tmp_path / f"{name}.py").write_bytes(card.read_bytes())
    said = refusal(AUGMENTATIONS.find, name, tmp_path)
    assert said or readable(name, Variant)
    assert not said or name.startswith("_") or f"{tmp_path / name}.py: " in said
    for model in discover([tmp_path]).values():
        if model.path.parent == tmp_path:
            assert "first a letter" in str(model.problem) or readable(model.name, Model)


def test_cards_hold_text_that_can_be_written(tmp_path):
    (tmp_path / "half.py").write_text('CARD = {"title": "a\\ud800"}')
    axis = Axis("thing", "benchmark", entry="f", keys={"title": str})
    with pytest.raises(UserError, match=r"half\.py: CARD lacks title"):
        axis.find("half", tmp_path)
    assert is_writable("größer 正常 \U0001f600")


@given(
    st.sampled_from(OF_RECIPE),
    st.floats() | st.integers() | st.sampled_from([1e13, 1e300, 10**13, -(10**13), 10**400]),
)
def test_a_recipe_holds_no_number_that_its_row_may_not_hold(name, value):
    said = refusal(check_recipe, {name: value})
    assert said.startswith(f"recipe: {name} must be ") or readable(value, RecipeValue)


def test_every_number_of_a_recipe_has_bounds():
    usual = vars(Recipe())
    assert {name for name, value in usual.items() if type(value) in (int, float)} == {*OF_RECIPE}
    assert len(OF_RECIPE) == len({*ABOVE_ZERO, *NOT_BELOW, *SHARES})
    for name in (*ABOVE_ZERO, *NOT_BELOW):
        check_recipe({name: LARGEST_OF_RECIPE})
        with pytest.raises(UserError, match=f"{name} must be at most 1,000,000,000,000, not"):
            check_recipe({name: LARGEST_OF_RECIPE + 1})
