"""One file in its folder adds a value to an axis: found by name, named in suites, used in a run."""

from __future__ import annotations

import json

import pytest

from benchmark.data.augmentation import AXIS as AUGMENTATIONS
from benchmark.data.preprocessing import AXIS as PREPROCESSING
from benchmark.ensembles.rules import AXIS as RULES
from benchmark.errors import UnknownName
from benchmark.training.imbalance import AXIS as IMBALANCE
from benchmark.training.schemes import AXIS as SCHEMES
from benchmark.training.weight_sources import AXIS as SOURCES
from tests.one_place.added import SUITE

pytestmark = pytest.mark.xdist_group("one_place")  # the session's house is built once

AXES = (PREPROCESSING, AUGMENTATIONS, IMBALANCE, SOURCES, SCHEMES, RULES)
CLOSE = {
    "preprocessing": ("negative", "negativ"),
    "augmentation": ("dimmed", "dimed"),
    "imbalance": ("doubled", "doubeld"),
    "scheme": ("as_shelved", "as_shelve"),
    "weights": ("shelf:<shelf>", "shelv:upper"),
    "kind": ("median", "medain"),
    "recipe": ("brief", "breif"),
}
"""Axis -> what was added to it, as the choices name it, and a slip of the pen."""
ASK = """
import json, sys
from pathlib import Path
from benchmark.errors import UserError
from benchmark.suites import load_suite
texts, answers = json.load(sys.stdin), {}
for axis, text in texts.items():
    Path("wrong.toml").write_text(text)
    try:
        load_suite("wrong", Path())
    except UserError as error:
        answers[axis] = str(error)
assert not {"tensorflow", "keras"} & set(sys.modules)
print(json.dumps(answers))
"""


@pytest.mark.parametrize("axis", AXES, ids=lambda axis: axis.what)
def test_every_file_of_a_folder_can_be_used(axis):
    found = axis.discover()
    assert list(found) == axis.names()
    assert all(callable(plugin.load()) for plugin in found.values())


@pytest.mark.parametrize("name", ["_groups", "__init__", "../weights", "none.py", ""])
def test_what_is_no_value_is_not_found(name):
    with pytest.raises(UnknownName, match="Choices: balanced, "):
        IMBALANCE.find(name)


def test_a_key_of_a_card_that_means_nothing_is_pointed_out(tmp_path):
    (tmp_path / "more.py").write_text('CARD = {"title": "", "description": "", "vresion": 1}')
    with pytest.raises(UnknownName, match=r"'vresion'\. Did you mean 'version'"):
        IMBALANCE.find("more", tmp_path)


@pytest.fixture(scope="module")
def refusals(house) -> dict[str, str]:
    """Axis -> what is said of a suite that misspells what was added to it."""
    texts = {
        axis: SUITE.replace(f'"{added.replace("<shelf>", "upper")}"', f'"{slip}"')
        for axis, (added, slip) in CLOSE.items()
    }
    return json.loads(house.python("-c", ASK, given=json.dumps(texts)))


@pytest.mark.parametrize("axis", CLOSE)
def test_a_slip_of_the_pen_is_shown_what_was_added(refusals, axis):
    added, slip = CLOSE[axis]
    assert f"{slip!r}. Did you mean {added!r}? Choices: " in refusals[axis]


def test_rows_carry_the_versions_of_what_was_added(rows):
    for name in ("brightness", "linear"):
        code = rows[name].code
        assert {code[axis] for axis in ("preprocessing", "augmentation", "imbalance")} == {"7"}
    assert rows["middle"].code["kind"] == "7"


def test_specs_have_the_values_of_the_recipe_and_its_name(rows):
    recipe = rows["linear"].spec.recipe
    assert (recipe["name"], recipe["epochs"], recipe["ema_epochs"]) == ("brief", 1, 2.5)


def test_the_source_of_weights_was_asked(results, rows):
    assert (results.folder / "asked").read_text() == rows["linear"].spec.weights == "shelf:upper"


def test_the_rule_combined_its_members(rows):
    assert rows["middle"].ensemble.used == ["brightness", "linear"]
    assert rows["middle"].model.title == "Median of brightness, linear"


def test_the_table_shows_what_was_added(results):
    text = (results.folder / "LEADERBOARD.md").read_text()
    for name in ("negative", "dimmed", "doubled", "shelf:upper", "middle", "the recipe brief"):
        assert name in text
