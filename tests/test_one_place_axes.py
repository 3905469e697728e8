"""One file in its folder adds a value to an axis: found by name, named in suites, used in a run."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from benchmark.data.augmentation import AXIS as AUGMENTATIONS
from benchmark.data.preprocessing import AXIS as PREPROCESSING
from benchmark.ensembles.rules import AXIS as RULES
from benchmark.errors import UnknownName
from benchmark.records.row import Row
from benchmark.records.store import Results
from benchmark.training.imbalance import AXIS as IMBALANCE
from benchmark.training.schemes import AXIS as SCHEMES
from benchmark.training.weight_sources import AXIS as SOURCES

AXES = (PREPROCESSING, AUGMENTATIONS, IMBALANCE, SOURCES, SCHEMES, RULES)
ROOT = Path(__file__).parents[1]

NEGATIVE = """
CARD = {"title": "Negative", "description": "Inverted.", "version": 7, "idempotent": False}
def apply(image):
    return 255 - image
"""
DIMMED = """
CARD = {"title": "Dimmed", "description": "Half as bright.", "version": 7, "masks": False}
def augment(images, masks, key):
    return images * 0.5, masks
"""
DOUBLED = """
import numpy as np
from benchmark.training.imbalance import Policy
CARD = {"title": "Doubled", "description": "Labels count twice.", "version": 7}
def policy():
    return Policy(weigh=lambda targets, exclusive: np.full((2, targets.shape[1]), 2.0))
"""
SHELF = """
CARD = {"title": "Weights of a shelf", "description": "From a shelf.", "gives": "shelved",
        "argument": "shelf", "pattern": "[a-z]+", "meaning": "the name of a shelf"}
def files(weights, model_file, results, folders):
    results.folder.mkdir(exist_ok=True)
    (results.folder / "asked").write_text(weights)
    return []
"""
AS_SHELVED = """
from benchmark.training.stage import train_whole as train
CARD = {"title": "As shelved", "description": "Every layer.", "begins_from": ["shelved"],
        "usual": ""}
"""
MEDIAN = """
import numpy as np
CARD = {"title": "Median of {members}", "description": "Of the logits.", "reference": "us",
        "version": 7, "options": []}
def combine(voters, rule):
    return np.median([voter.predictions.logits for voter in voters.values()], axis=0), list(voters)
"""
BRIEF = """
title = "Brief"
description = "One epoch."
source = "us"
[values]
epochs = 1
ema_epochs = 2.5
"""
ADDED = {
    "data/preprocessing/negative.py": NEGATIVE,
    "data/augmentation/dimmed.py": DIMMED,
    "training/imbalance/doubled.py": DOUBLED,
    "training/weight_sources/shelf.py": SHELF,
    "training/schemes/as_shelved.py": AS_SHELVED,
    "ensembles/rules/median.py": MEDIAN,
    "training/recipes/brief.toml": BRIEF,
}
SUITE = """
title = "What was added"
description = ""
[matrix]
datasets = ["thorax_phantom/small"]
models = ["linear", "mlp"]
resolutions = [16]
preprocessing = ["negative"]
augmentation = ["dimmed"]
imbalance = ["doubled"]
scheme = ["as_shelved"]
weights = ["shelf:upper"]
seeds = [0]
[recipe]
name = "brief"
[[ensembles]]
name = "middle"
kind = "median"
members = ["linear", "mlp"]
"""
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
def house(tmp_path_factory) -> Path:
    """A folder that holds the package with these files, as if it had been cloned and added to."""
    root = tmp_path_factory.mktemp("house")
    unwanted = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "benchmark", root / "benchmark", ignore=unwanted)
    (root / "tfds_builders").symlink_to(ROOT / "tfds_builders")
    for place, text in ADDED.items():
        (root / "benchmark" / place).write_text(text)
    (root / "benchmark" / "suites" / "added.toml").write_text(SUITE)
    return root


def python(house: Path, *arguments: str, given: str = "") -> str:
    """What Python says in that folder, where its package comes before the installed one."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=house,
        env=os.environ | {"PYTHONPATH": str(house)},
        input=given,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def refusals(house) -> dict[str, str]:
    """Axis -> what is said of a suite that misspells what was added to it."""
    texts = {
        axis: SUITE.replace(f'"{added.replace("<shelf>", "upper")}"', f'"{slip}"')
        for axis, (added, slip) in CLOSE.items()
    }
    return json.loads(python(house, "-c", ASK, given=json.dumps(texts)))


@pytest.mark.parametrize("axis", CLOSE)
def test_a_slip_of_the_pen_is_shown_what_was_added(refusals, axis):
    added, slip = CLOSE[axis]
    assert f"{slip!r}. Did you mean {added!r}? Choices: " in refusals[axis]


@pytest.fixture(scope="module")
def ran(house) -> Results:
    """The results of a suite that uses everything that was added."""
    run = "import sys; from benchmark.cli import main; main(sys.argv[1:])"
    folders = ["--data-dir", "data", "--cache-dir", "cache", "--results", "results"]
    assert "added " in python(house, "-c", run, "list", "suites")
    python(house, "-c", run, "run", "--suite", "added", *folders)
    return Results(house / "results")


@pytest.fixture(scope="module")
def rows(ran) -> dict[str, Row]:
    """Rows by model."""
    return {row.spec.model: row for row in ran.rows()}


def test_what_was_added_is_run(rows):
    endings = {name: (row.status, row.error) for name, row in rows.items()}
    assert endings == dict.fromkeys(("linear", "mlp", "middle"), ("done", None))


def test_rows_carry_the_versions_of_what_was_added(rows):
    for name in ("linear", "mlp"):
        code = rows[name].code
        assert {code[axis] for axis in ("preprocessing", "augmentation", "imbalance")} == {"7"}
    assert rows["middle"].code["kind"] == "7"


def test_specs_have_the_values_of_the_recipe_and_its_name(rows):
    recipe = rows["mlp"].spec.recipe
    assert (recipe["name"], recipe["epochs"], recipe["ema_epochs"]) == ("brief", 1, 2.5)


def test_the_source_of_weights_was_asked(ran, rows):
    assert (ran.folder / "asked").read_text() == rows["mlp"].spec.weights == "shelf:upper"


def test_the_rule_combined_its_members(rows):
    assert rows["middle"].ensemble.used == ["linear", "mlp"]
    assert rows["middle"].model.title == "Median of linear, mlp"


def test_the_table_shows_what_was_added(ran):
    text = (ran.folder / "LEADERBOARD.md").read_text()
    for name in ("negative", "dimmed", "doubled", "shelf:upper", "middle", "the recipe brief"):
        assert name in text
