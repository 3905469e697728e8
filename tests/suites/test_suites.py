from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.data.discovery import datasets
from benchmark.errors import UnknownName, UserError
from benchmark.models import discover
from benchmark.suites import Cell, load_suite, parse_filter, suites
from benchmark.suites.cell import matches
from benchmark.training.recipe import make_recipe

CELL = Cell(
    dataset="set/config",
    dataset_version="1.0.0",
    manifest_sha256="0" * 64,
    model="cnn",
    resolution=64,
    preprocessing="raw",
    normalisation="unit",
    imbalance="none",
    weights="random",
    augmentation="none",
    seed=0,
    recipe=make_recipe().as_dict(),
    backend="tensorflow",
    device="cpu",
    precision="float32",
    threads=2,
    micro_batch=32,
)


def test_the_id_of_a_cell_never_changes():
    # Committed rows are found by this id: whoever changes it orphans them.
    assert CELL.cell_id == "36825235063e"


@pytest.mark.parametrize("field", [f.name for f in dataclasses.fields(Cell)])
def test_every_field_is_in_the_id(field):
    value = getattr(CELL, field)
    if field == "recipe":
        other = value | {"epochs": 11}
    else:
        other = value + "x" if isinstance(value, str) else (value or 0) + 1
    changed = dataclasses.replace(CELL, **{field: other})
    assert changed.cell_id != CELL.cell_id
    assert (changed.config_id == CELL.config_id) == (field == "seed")


def test_a_filter_chooses_by_any_axis():
    assert matches(CELL, parse_filter("model=cnn|mlp, size=64,seed=0"))
    assert not matches(CELL, parse_filter("model=cnn,size=224"))
    assert matches(CELL, parse_filter(""))


def test_an_unknown_filter_key_suggests_the_nearest():
    with pytest.raises(UnknownName, match="Did you mean 'model'"):
        parse_filter("modle=cnn")


@given(st.text(max_size=30))
@settings(max_examples=60, deadline=None)
def test_no_filter_text_is_a_crash(text):
    try:
        wanted = parse_filter(text)
    except UserError:
        return
    assert all(values for values in wanted.values())


@pytest.mark.parametrize("name", suites())
def test_shipped_suites_name_only_what_exists(name):
    suite = load_suite(name)
    assert {dataset for dataset, _ in suite.datasets} <= datasets().keys()
    assert suite.models(discover())
    ranked = not all(dataset.startswith("lung_masks/") for dataset, _ in suite.datasets)
    assert len(suite.matrix["seeds"]) >= (3 if ranked else 1)
    make_recipe(suite.recipe)
    for values in suite.recipe_for.values():
        make_recipe(suite.recipe, values)


def write_suite(folder, text):
    (folder / "mine.toml").write_text(text)
    return load_suite("mine", folder)


TITLE = 'title = "T"\ndescription = ""\n'
MATRIX = '[matrix]\ndatasets = ["a/b"]\nmodels = ["cnn"]\nresolutions = [64]\n'


def test_a_suite_is_one_file(tmp_path):
    suite = write_suite(tmp_path, TITLE + MATRIX)
    assert suite.name == "mine"
    assert suite.matrix["seeds"] == [0, 1, 2]
    assert suite.models({"cnn": None, "mlp": None}) == ["cnn"]
    assert len(suite.variants("cnn")) == 1


def test_one_model_may_have_other_values_of_an_axis(tmp_path):
    text = TITLE + MATRIX + "[matrix_for.mlp]\nresolutions = [32, 96]\n"
    suite = write_suite(tmp_path, text)
    assert [v["resolution"] for v in suite.variants("cnn")] == [64]
    assert [v["resolution"] for v in suite.variants("mlp")] == [32, 96]


def test_a_data_set_may_stand_under_a_legacy_protocol(tmp_path):
    text = TITLE + MATRIX.replace('["a/b"]', '["a/b", "a/b@legacy_s3"]')
    assert write_suite(tmp_path, text).datasets == [("a/b", "honest"), ("a/b", "legacy_s3")]


def test_a_star_stands_for_the_models_not_named(tmp_path):
    suite = write_suite(tmp_path, TITLE + MATRIX.replace('["cnn"]', '["mlp", "*"]'))
    assert suite.models(dict.fromkeys(["cnn", "linear", "mlp"])) == ["mlp", "cnn", "linear"]


def test_a_recipe_may_be_for_a_model_and_for_its_size(tmp_path):
    text = TITLE + MATRIX.replace("[64]", "[64, 224]") + "[recipe]\nbatch_size = 1\nepochs = 7\n"
    text += "[recipe_for.cnn]\nbatch_size = 2\npatience = 5\n"
    text += '[recipe_for."cnn@224"]\nbatch_size = 3\n'
    suite = write_suite(tmp_path, text)

    def recipe(model, size):
        made = make_recipe(*suite.recipe_values(model, size))
        return made.batch_size, made.epochs, made.patience

    assert recipe("mlp", 224) == (1, 7, make_recipe().patience)
    assert recipe("cnn", 64) == (2, 7, 5)
    assert recipe("cnn", 224) == (3, 7, 5)


def test_a_recipe_for_a_model_that_does_not_exist_is_refused(tmp_path):
    suite = write_suite(tmp_path, TITLE + MATRIX + '[recipe_for."cnm@64"]\nepochs = 1\n')
    with pytest.raises(UnknownName, match=r"'cnm'.*Did you mean 'cnn'"):
        suite.models({"cnn": None})


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("title = ", "mine.toml"),
        (f'titel = "T"\n{MATRIX}', "Did you mean 'title'"),
        (TITLE + MATRIX.replace("models", "model"), "Did you mean 'models'"),
        (TITLE + MATRIX.replace("[64]", '["64"]'), "resolutions must be a list of int"),
        (TITLE + MATRIX.replace('["a/b"]', "[]"), "no datasets"),
        (TITLE + MATRIX.replace("a/b", "a/b@legacy_s33"), "Did you mean 'legacy_s3'"),
        (TITLE + MATRIX + "[matrix_for.mlp]\nseeds = [1]\n", "unknown axis"),
        (TITLE + MATRIX + 'imbalance = ["focla"]\n', "unknown imbalance .*'focla'.* mean 'focal'"),
        (TITLE + MATRIX + '[recipe_for."cnn@46"]\n', "resolution in recipe_for .*'46'.* mean '64'"),
        (TITLE + MATRIX + 'weights = ["imagenet"]\n', "unknown weights .*imagenet_frozen"),
    ],
)
def test_a_wrong_suite_file_is_explained(tmp_path, text, fault):
    with pytest.raises(UserError, match=fault):
        write_suite(tmp_path, text)


def test_a_suite_without_title_is_explained(tmp_path):
    with pytest.raises(UserError, match="title"):
        write_suite(tmp_path, MATRIX)


def test_an_unknown_suite_suggests_the_nearest():
    with pytest.raises(UnknownName, match="Did you mean 'pneumonia'"):
        load_suite("pnuemonia")


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({"epoch": 3}, "Did you mean 'epochs'"),
        ({"epochs": 0}, "above zero"),
        ({"epochs": 2.5}, "epochs must be int"),
        ({"learning_rate": "fast"}, "learning_rate must be float"),
        ({"optimizer": "adma"}, "Did you mean 'adam'"),
    ],
)
def test_a_wrong_recipe_is_explained(values, fault):
    with pytest.raises(UserError, match=fault):
        make_recipe(values)


def test_later_recipe_values_win():
    assert make_recipe({"epochs": 3}, {"epochs": 5, "learning_rate": 1}).epochs == 5
