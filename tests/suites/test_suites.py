from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.data.discovery import datasets
from benchmark.errors import UnknownName, UserError
from benchmark.models import discover
from benchmark.spec import PUBLISHED
from benchmark.suites import load_suite, parse_filter, suites
from benchmark.suites.filters import FILTER_KEYS, matches
from benchmark.training.recipe import make_recipe
from benchmark.training.recipes import find
from tests.records.rows import a_spec


def test_a_filter_chooses_by_any_axis():
    spec = a_spec()
    assert matches(spec, parse_filter("model=cnn|mlp, size=64,seed=0"))
    assert not matches(spec, parse_filter("model=cnn,size=224"))
    assert matches(spec, parse_filter(""))


@pytest.mark.parametrize("key", FILTER_KEYS)
def test_every_axis_can_be_filtered(key):
    spec = a_spec()
    value = getattr(spec, FILTER_KEYS[key])
    assert matches(spec, parse_filter(f"{key}={value}"))
    assert not matches(spec, parse_filter(f"{key}=another"))


def test_schemes_and_weights_are_filtered_apart():
    specs = {
        "scratch": a_spec(),
        "random features": a_spec(scheme="frozen"),
        "features": a_spec(scheme="frozen", weights="imagenet"),
        "finetuned": a_spec(scheme="finetune", weights="imagenet"),
        "continued": a_spec(scheme="continue", weights="from:0123456789ab"),
    }

    def kept(text):
        return {name for name, spec in specs.items() if matches(spec, parse_filter(text))}

    assert kept("scheme=frozen") == {"random features", "features"}
    assert kept("weights=imagenet") == {"features", "finetuned"}
    assert kept("scheme=frozen|finetune,weights=imagenet") == {"features", "finetuned"}
    assert kept("weights=from:0123456789ab") == {"continued"}
    assert kept("kind=classifier,protocol=published") == set(specs)
    assert kept("precision=mixed_bfloat16") == set()


def test_an_unknown_filter_key_suggests_the_nearest():
    with pytest.raises(UnknownName, match="Did you mean 'model'"):
        parse_filter("modle=cnn")


def test_a_message_shows_a_filter_as_it_was_typed():
    with pytest.raises(UserError) as told:
        parse_filter(r"model\cnn")
    assert r"filter 'model\cnn' is not of the form" in str(told.value)
    with pytest.raises(UnknownName) as told:
        parse_filter(r"mo\del=cnn")
    assert r"'mo\del'" in str(told.value)


def test_commas_bars_and_semicolons_of_a_filter_are_understood_or_explained():
    assert parse_filter("model=cnn;size=64") == parse_filter("model=cnn,size=64")
    with pytest.raises(UserError, match=r"'model=cnn\|mlp'"):
        parse_filter("model=cnn,mlp")


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


def test_the_small_reference_suite_is_a_part_of_the_large_one():
    small, large = load_suite("reference_small"), load_suite("reference")
    assert small.datasets == large.datasets
    for model in small.named_models:
        seeds = {tuple(variant.values()): seeds for variant, seeds in large.points(model)}
        for variant, few in small.points(model):
            assert set(few) <= set(seeds[tuple(variant.values())])
            size = variant["resolution"]
            assert small.recipe_values(model, size) == large.recipe_values(model, size)


def write_suite(folder, text):
    (folder / "mine.toml").write_text(text)
    return load_suite("mine", folder)


TITLE = 'title = "T"\ndescription = ""\n'
MATRIX = '[matrix]\ndatasets = ["a/b"]\nmodels = ["cnn"]\nresolutions = [64]\n'
TWO = MATRIX.replace('["cnn"]', '["cnn", "mlp"]')


def test_a_suite_is_one_file(tmp_path):
    suite = write_suite(tmp_path, TITLE + MATRIX)
    assert suite.name == "mine"
    assert suite.matrix["seeds"] == [0, 1, 2]
    assert suite.models({"cnn": None, "mlp": None}) == ["cnn"]
    assert len(suite.variants("cnn")) == 1


def test_one_model_may_have_other_values_of_an_axis(tmp_path):
    text = TITLE + TWO + "[matrix_for.mlp]\nresolutions = [32, 96]\n"
    suite = write_suite(tmp_path, text)
    assert [v["resolution"] for v in suite.variants("cnn")] == [64]
    assert [v["resolution"] for v in suite.variants("mlp")] == [32, 96]


BLOCKS = """
[[matrix_for.cnn]]
seeds = [0, 1, 2, 3, 4]
[[matrix_for.cnn]]
resolutions = [64, 128]
seeds = [0, 7]
[[matrix_for.cnn]]
resolutions = [224]
augmentation = ["flip", "standard"]
[matrix_for.mlp]
seeds = [9]
"""


def test_blocks_of_a_model_add_up_each_with_its_seeds(tmp_path):
    suite = write_suite(tmp_path, TITLE + TWO + BLOCKS)
    points = [(v["resolution"], v["augmentation"], seeds) for v, seeds in suite.points("cnn")]
    assert points == [
        (64, "none", [0, 1, 2, 3, 4, 7]),
        (128, "none", [0, 7]),
        (224, "flip", [0, 1, 2]),
        (224, "standard", [0, 1, 2]),
    ]
    assert suite.seeds("cnn") == [0, 1, 2, 3, 4, 7]
    assert suite.seeds("mlp") == [9]
    assert suite.seeds("vit") == [0, 1, 2]


def test_a_data_set_may_stand_under_a_legacy_protocol(tmp_path):
    text = TITLE + MATRIX.replace('["a/b"]', '["a/b", "a/b@legacy_s3"]')
    assert write_suite(tmp_path, text).datasets == [
        ("a/b", PUBLISHED),
        ("a/b", "legacy_s3"),
    ]


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


def test_a_recipe_may_be_for_a_size(tmp_path):
    text = TITLE + TWO.replace("[64]", "[64, 224]") + "[recipe]\nbatch_size = 4\nepochs = 7\n"
    text += '[recipe_for."*@224"]\nbatch_size = 2\nepochs = 5\n[recipe_for.mlp]\nbatch_size = 8\n'
    suite = write_suite(tmp_path, text)

    def recipe(model, size):
        made = make_recipe(*suite.recipe_values(model, size))
        return made.batch_size, made.epochs

    assert recipe("cnn", 64) == (4, 7)
    assert recipe("cnn", 224) == (2, 5)
    assert recipe("mlp", 64) == (8, 7)
    assert recipe("mlp", 224) == (8, 5), "what is said of a model goes before what is of a size"


def test_a_size_that_one_model_alone_has_may_have_a_recipe(tmp_path):
    text = TITLE + TWO + "[matrix_for.mlp]\nresolutions = [32]\n"
    suite = write_suite(tmp_path, text + '[recipe_for."*@32"]\nepochs = 1\n')
    assert make_recipe(*suite.recipe_values("mlp", 32)).epochs == 1


def test_a_suite_names_a_recipe_and_says_what_is_different(tmp_path):
    named = find("reference").values
    for text in ('recipe = "reference"\n' + MATRIX, MATRIX + '[recipe]\nname = "reference"\n'):
        values = make_recipe(*write_suite(tmp_path, TITLE + text).recipe_values("cnn", 64))
        assert values == make_recipe(named, {"name": "reference"})
    text = TWO + '[recipe]\nname = "reference"\nepochs = 3\n[recipe_for.mlp]\nname = "short"\n'
    suite = write_suite(tmp_path, TITLE + text)
    assert make_recipe(*suite.recipe_values("cnn", 64)).epochs == 3
    made = make_recipe(*suite.recipe_values("mlp", 64))
    assert (made.name, made.epochs) == ("short", find("short").values["epochs"])


def test_an_ensemble_names_a_recipe(tmp_path):
    text = '[[ensembles]]\nname = "joined"\nkind = "joined_features"\nmembers = ["cnn", "mlp"]\n'
    text += 'k = 2\nrecipe = { name = "short", epochs = 2 }\n'
    text = TITLE + TWO + text
    (ensemble,) = write_suite(tmp_path, text).ensembles
    assert ensemble.recipe == {**find("short").values, "name": "short", "epochs": 2}


def test_a_recipe_for_a_model_that_does_not_exist_is_refused(tmp_path):
    text = TITLE + MATRIX.replace('["cnn"]', '["*"]') + '[recipe_for."cnm@64"]\nepochs = 1\n'
    suite = write_suite(tmp_path, text)
    with pytest.raises(UnknownName, match=r"'cnm'.*Did you mean 'cnn'"):
        suite.models({"cnn": None})


ENSEMBLE = '[[ensembles]]\nname = "v"\nkind = "soft_vote"\nmembers = ["cnn", "mlp"]\n'


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("title = ", "mine.toml"),
        (f'titel = "T"\n{MATRIX}', "Did you mean 'title'"),
        (TITLE + MATRIX.replace("models", "model"), "Did you mean 'models'"),
        (
            TITLE + MATRIX.replace("[64]", '["64"]'),
            r"mine.toml: resolutions must be a list of whole numbers, not \['64'\]",
        ),
        (TITLE + MATRIX.replace('["a/b"]', "[]"), "no datasets"),
        (TITLE + MATRIX.replace("a/b", "a/b@legacy_s33"), "Did you mean 'legacy_s3'"),
        (TITLE + TWO + '[matrix_for.mlp]\ndatasets = ["a/b"]\n', "unknown axis"),
        (TITLE + TWO + "[matrix_for.mlp]\nseeds = [-1]\n", "mine.toml, matrix_for.mlp: a seed is"),
        (
            TITLE + TWO + "[matrix_for.mlp]\nseeds = [true]\n",
            r"mine.toml, matrix_for.mlp: seeds must be a list of whole numbers, not \[true\]",
        ),
        (TITLE + "run_all = 1\n" + MATRIX, "mine.toml: run_all must be true or false, not 1"),
        (
            TITLE + MATRIX + "[recipe_for.cnn]\nepochs = 1979-05-27\n",
            "mine.toml, recipe_for.cnn: recipe: epochs must be a whole number, not 1979-05-27",
        ),
        (TITLE + MATRIX + 'imbalance = ["focla"]\n', "unknown imbalance .*'focla'.* mean 'focal'"),
        (TITLE + MATRIX + '[recipe_for."cnn@46"]\n', "resolution in recipe_for .*'46'.* mean '64'"),
        (TITLE + MATRIX + '[recipe_for."*@46"]\n', "resolution in recipe_for .*'46'.* mean '64'"),
        ('recipe = "referenze"\n' + TITLE + MATRIX, "mine.toml.*Did you mean 'reference'"),
        (TITLE + MATRIX + "[recipe_for.cnn]\nname = 3\n", "mine.toml.*name must be text"),
        (TITLE + MATRIX + 'weights = ["imagnet"]\n', "unknown weights .*Did you mean 'imagenet'"),
        (TITLE + MATRIX + 'weights = ["imagenet_frozen"]\n', "unknown weights .*'imagenet_frozen'"),
        (TITLE + MATRIX + 'scheme = ["forzen"]\n', "unknown scheme .*Did you mean 'frozen'"),
        (
            TITLE + MATRIX + 'scheme = "frozen"\n',
            "mine.toml: scheme must be a list of texts, not 'frozen'",
        ),
        (TITLE + MATRIX + "seeds = [-1]\n", "mine.toml: a seed is .* from 0 .*, not -1"),
        (TITLE + MATRIX + "seeds = [4294967296]\n", "mine.toml: a seed is .*, not 4294967296"),
        (TITLE + MATRIX.replace("[64]", "[-5]"), "mine.toml: a resolution is .*, not -5"),
        (TITLE + MATRIX.replace("[64]", "[0]"), "mine.toml: a resolution is .*, not 0"),
        (TITLE + MATRIX.replace("[64]", "[100000000]"), "mine.toml: a resolution is .*, not 1000"),
        (TITLE + MATRIX + 'normalisation = ["uint"]\n', "unknown normalisation .*mean 'unit'"),
        (TITLE + TWO + "[matrix_for.mpl]\nseeds = [1]\n", "model in matrix_for .*mean 'mlp'"),
        (TITLE + MATRIX + "[matrix_for.mlp]\nseeds = [1]\n", "in matrix_for .* runs no other"),
        (TITLE + MATRIX + "[recipe_for.mlp]\nepochs = 1\n", "in recipe_for .* runs no other"),
        (TITLE + MATRIX + '[recipe_for."mlp@64"]\nepochs = 1\n', "in recipe_for .*'mlp'"),
        (TITLE + MATRIX + '[recipe_for."*"]\nepochs = 1\n', r"mine.toml.* stands in \[matrix\]"),
        (TITLE + MATRIX + '[matrix_for."*"]\nseeds = [1]\n', r"mine.toml.* stands in \[matrix\]"),
        (TITLE + MATRIX + "[recipe]\nepoch = 1\n", "mine.toml: unknown recipe key 'epoch'"),
        (TITLE + MATRIX + "[recipe]\nepochs = 0\n", "mine.toml: recipe: epochs must be above"),
        (
            TITLE + MATRIX + "[recipe_for.cnn]\nepochs = 0\n",
            "mine.toml, recipe_for.cnn: recipe: ep",
        ),
        (
            TITLE + MATRIX + '[recipe_for."*@64"]\nschedule = "x"\n',
            r"recipe_for.\*@64: unknown sch",
        ),
        (TITLE + MATRIX + "[recipe]\naccumulate = 3\n", "mine.toml, cnn at 64 px: recipe: batch_s"),
        (
            TITLE + MATRIX + ENSEMBLE.replace('"soft_vote"', '["soft_vote"]'),
            "mine.toml, ensemble v: needs a kind, as text: .*best_mean, .*soft_vote",
        ),
        (
            TITLE + MATRIX + ENSEMBLE.replace('"soft_vote"', "{ a = 1 }"),
            "mine.toml, ensemble v: needs a kind, as text: .*best_mean, .*soft_vote",
        ),
        (
            TITLE + MATRIX + "[recipe]\nlearning_rate = 1" + 400 * "0",
            "recipe.learning_rate is beyo",
        ),
        (TITLE + MATRIX.replace("[64]", f"[0x{5000 * 'f'}]"), "matrix.resolutions.1 is beyond"),
        (TITLE + MATRIX.replace("[64]", f"[1{5000 * '0'}]"), "mine.toml: a whole number is beyond"),
        (TITLE + MATRIX + "x = " + 5000 * "[", "mine.toml: something is a table or list"),
        (f"{TITLE}{'lungs.' * 3000}x = 1\n{MATRIX}", "lungs.lungs is a table or list with others"),
    ],
    ids=lambda text: text[-60:],
)
def test_a_wrong_suite_file_is_explained(tmp_path, text, fault):
    with pytest.raises(UserError, match=fault):
        write_suite(tmp_path, text)


BASE = {
    "resolution": 64, "preprocessing": "raw", "normalisation": "unit", "imbalance": "none",
    "scheme": "scratch", "weights": "random", "augmentation": "none",
}  # fmt: skip
ROW = "from:0123456789ab"


def begun(folder, text, model="cnn"):
    """Scheme and weights of each variant of a model in a suite with these axes."""
    matrix = MATRIX.replace('["cnn"]', '["cnn", "mlp", "vit"]')
    variants = write_suite(folder, TITLE + matrix + text).variants(model)
    assert all(v | {"scheme": "scratch", "weights": "random"} == BASE for v in variants)
    return [(v["scheme"], v["weights"]) for v in variants]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [("scratch", "random")]),
        ('scheme = ["frozen"]\n', [("frozen", "imagenet")]),
        ('scheme = ["finetune"]\n', [("finetune", "imagenet")]),
        (
            'scheme = ["scratch", "frozen", "finetune"]\n',
            [("scratch", "random"), ("frozen", "imagenet"), ("finetune", "imagenet")],
        ),
        (
            'scheme = ["frozen"]\nweights = ["random", "imagenet"]\n',
            [("frozen", "random"), ("frozen", "imagenet")],
        ),
        ('scheme = ["frozen", "scratch"]\nweights = ["random"]\n',
         [("frozen", "random"), ("scratch", "random")]),
        (f'scheme = ["continue"]\nweights = ["{ROW}"]\n', [("continue", ROW)]),
    ],
)  # fmt: skip
def test_a_scheme_begins_from_its_usual_weights_or_those_named(tmp_path, text, expected):
    assert begun(tmp_path, text) == expected


def test_one_model_may_be_trained_by_another_scheme(tmp_path):
    text = '[matrix_for.mlp]\nscheme = ["finetune"]\n[matrix_for.vit]\nweights = ["random"]\n'
    assert begun(tmp_path, text, "cnn") == [("scratch", "random")]
    assert begun(tmp_path, text, "mlp") == [("finetune", "imagenet")]
    assert begun(tmp_path, text, "vit") == [("scratch", "random")]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('weights = ["imagenet"]\n', "scheme scratch begins from weights random, not 'imagenet'"),
        (
            'scheme = ["finetune"]\nweights = ["random"]\n',
            "scheme finetune begins from weights imagenet, not 'random'",
        ),
        ('scheme = ["continue"]\n', "scheme continue begins from weights from:<spec id>, not ''"),
        ('scheme = ["continue"]\nweights = ["imagenet"]\n', "from:<spec id>, not 'imagenet'"),
        (f'weights = ["{ROW}"]\n', "weights of a row are for scheme continue"),
        (f'scheme = ["frozen"]\nweights = ["{ROW}"]\n', "weights of a row are for scheme continue"),
        ('scheme = ["continue"]\nweights = ["from:cnn"]\n', "twelve hexadecimal digits"),
        (
            'scheme = ["scratch", "finetune"]\nweights = ["random"]\n',
            "scheme finetune begins from weights imagenet, not 'random'",
        ),
        ('[matrix_for.cnn]\nscheme = ["continue"]\n', "scheme continue begins from"),
    ],
)
@pytest.mark.parametrize("models", ['["cnn"]', '["*"]'])
def test_schemes_and_weights_that_make_no_sense_together_are_refused(tmp_path, text, fault, models):
    with pytest.raises(UserError, match=f"mine.toml: .*{fault}"):
        write_suite(tmp_path, TITLE + MATRIX.replace('["cnn"]', models) + text)


def test_a_model_without_values_on_an_axis_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"mine.toml: matrix_for.cnn has no scheme"):
        write_suite(tmp_path, TITLE + MATRIX + "[matrix_for.cnn]\nscheme = []\n")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (TITLE + "matrix = 3\n", "matrix must be a table, not 3"),
        (TITLE + "matrix_for = 3\n" + MATRIX, "matrix_for must be a table, not 3"),
        (TITLE + MATRIX + "[matrix_for]\ncnn = 3\n", "matrix_for.cnn must be a table or .*, not 3"),
        (TITLE + MATRIX + "[matrix_for]\ncnn = [3]\n", r"matrix_for.cnn must .*, not \[3\]"),
        (TITLE + "recipe = 3\n" + MATRIX, "recipe must be a table, not 3"),
        (TITLE + "recipe_for = 3\n" + MATRIX, "recipe_for must be a table, not 3"),
        (TITLE + MATRIX + "[recipe_for]\ncnn = 3\n", "recipe_for.cnn must be a table, not 3"),
        (TITLE + "run_all = 3\n" + MATRIX, "run_all must be true or false"),
        *(
            (f"{TITLE}budget_minutes = {value}\n{MATRIX}", "budget_minutes must be a number above")
            for value in ('"x"', "nan", "inf", "-5", "0", "true")
        ),
    ],
)
def test_a_value_of_the_wrong_kind_is_explained(tmp_path, text, fault):
    with pytest.raises(UserError, match=f"mine.toml: {fault}"):
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
        ({"epochs": 2.5}, "epochs must be a whole number, not 2.5"),
        ({"epochs": True}, "epochs must be a whole number, not true"),
        ({"optimizer": ["adam"]}, r"optimizer must be text, not \['adam'\]"),
        ({"learning_rate": "fast"}, "learning_rate must be a number, not 'fast'"),
        ({"optimizer": "adma"}, "Did you mean 'adam'"),
    ],
)
def test_a_wrong_recipe_is_explained(values, fault):
    with pytest.raises(UserError, match=fault):
        make_recipe(values)


def test_later_recipe_values_win():
    assert make_recipe({"epochs": 3}, {"epochs": 5, "learning_rate": 1}).epochs == 5


@pytest.mark.parametrize("key", ["learning_rate", "clip_norm", "weight_decay"])
@pytest.mark.parametrize(
    "value", [float("inf"), float("-inf"), float("nan"), pytest.param(10**400, id="huge")]
)
def test_a_recipe_holds_finite_numbers(key, value):
    with pytest.raises(UserError, match=f"recipe: {key} must be a finite number"):
        make_recipe({key: value})
