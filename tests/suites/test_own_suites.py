"""A matrix of one's own: as a file anywhere, or on the command line without one."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmark.cli import main
from benchmark.errors import UserError
from benchmark.suites import load_suite, matrix_suite
from tests.data.claimed_sets import claim, some_lines

OWN = "image_folder/my_set"
SIZES = (64, 128, 224)
MODEL = """
CARD = {
    "title": "Mine", "description": "D.", "reference": "none", "source_system": "",
    "inputs": "image", "channels": 1, "own_normalisation": "unit", "min_size": 1, "max_size": None,
    "weights": {}, "deterministic": False,
}


def build(input_shape, task, weights): ...
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with a set of one's own that claims to be prepared, and a model of one's own."""
    claim(tmp_path / "data" / OWN / "1.0.0", some_lines(20, "Nodule", "Edema"))
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "mine.py").write_text(MODEL)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def cxr_bench(*words: object) -> tuple[int, str]:
    told = CliRunner().invoke(main, [str(word) for word in words])
    assert isinstance(told.exception, SystemExit | None), told.exc_info
    return told.exit_code, told.output


def planned(*words: object) -> list[dict]:
    folders = ("--data-dir", "data", "--models-dir", "models", "--limit-images", 16)
    code, said = cxr_bench("run", *words, *folders, "--dry-run", "--json")
    assert code == 0, said
    return json.loads(said)


AXES = ("--models", "densenet121,mine", "--sizes", "64,128,224", "--dataset", OWN)


def test_a_suite_outside_the_package_and_the_same_without_a_file(place):
    code, said = cxr_bench("new-suite", "my_suite", *AXES, "--models-dir", "models")
    assert code == 0, said
    by_file, without = planned("--suite", "my_suite.toml"), planned(*AXES)
    assert [spec["id"] for spec in by_file] == [spec["id"] for spec in without]
    assert {spec["suite"] for spec in by_file} == {"my_suite"}
    assert {spec["suite"] for spec in without} == {"matrix"}
    for model in ("densenet121", "mine"):
        sizes = [s["label"].split()[2] for s in by_file if s["label"].split()[1] == model]
        assert sorted(sizes) == sorted(f"{size}px" for size in SIZES for _ in range(3))


def test_a_file_is_found_from_another_folder(place):
    (place / "suites").mkdir()
    assert cxr_bench("new-suite", "suites/mine", *AXES[2:], "--models", "cnn")[0] == 0
    assert planned("--suite", "suites/mine.toml") == planned("--suite", place / "suites/mine.toml")


def test_preparations_and_augmentations_are_asked_for(place):
    words = ("--preparations", "raw,pad", "--augmentations", "none", "--augmentations", "strong")
    specs = planned(*AXES[2:], "--models", "cnn", "--seeds", "1", *words)
    told = [re.search(r"px (.*)seed 1", each["label"])[1].strip() for each in specs]
    assert sorted(told) == sorted(3 * ["", "[strong]", "[pad]", "[pad, strong]"])


def test_seeds_schemes_and_a_recipe_are_asked_for(place):
    suite = matrix_suite(
        {"datasets": [OWN], "models": ["resnet50"], "resolutions": [64],
         "scheme": ["scratch", "finetune"], "seeds": [3]},
        "short",
    )  # fmt: skip
    assert suite.seeds("resnet50") == [3]
    assert [v["weights"] for v in suite.variants("resnet50")] == ["random", "imagenet"]
    assert suite.recipe["name"] == "short"


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (("run", "--models", "cnn"), "needs --sizes, --dataset, too"),
        (("run", "--models", "cnn", "--suite", "phantom"), "either --all or --suite"),
        (("run", *AXES, "--sizes", "big"), "no list of whole numbers"),
        (("run", *AXES, "--schemes", "scrach"), "Did you mean 'scratch'"),
        (("run", *AXES, "--preparations", "clahhe"), "Did you mean 'clahe'"),
        (("run", *AXES, "--augmentations", "stong"), "Did you mean 'strong'"),
        (("run", *AXES, "--recipe", "shrt"), "Did you mean 'short'"),
        (("run", *AXES, "--sizes", "9999"), "a resolution is from 1 to 4096 px"),
        (("run", *AXES, "--dry-run", "--models", "minne", "--models-dir", "models"), "'mine'"),
        (("run", "--suite", "gone.toml"), "gone.toml cannot be read"),
        (("run", "--suite", "phantm"), "A file of your own: --suite FILE.toml"),
        (("new-suite", "phantom"), "is the name of a suite of cxr-bench"),
        (("new-suite", "a b"), "cannot be a suite's name: use letters, digits, underscores and"),
        (("new-suite", "a b"), "for instance a_b"),
        (("run", "--suite", "a b.toml"), "for instance a_b"),
        (("new-model", "My net"), "use lower-case letters, digits and underscores, first a letter"),
        (("new-model", "My net"), "for instance my_net"),
        (("new-suite", 150 * "a"), "at most 100 characters"),
        (("run", "--suite", f"./{150 * 'a'}.toml"), "at most 100 characters"),
        (("run", *AXES, "--limit-images", str(10**16)), "is not in the range 8<=x<=10"),
        (("new-suite", "x", "--models", "minne", "--models-dir", "models"), "mean 'mine'"),
        (("new-suite", "x", "--seeds", "-1"), "a seed is a whole number"),
        (("audit", "my_set"), OWN),
        (("audit", "image_folder/my_sett"), f"Prepared there: {OWN}"),
    ],
)
def test_mistakes_are_explained(place, words, fault):
    own = () if words[0].startswith("new-") else ("--data-dir", "data")
    code, said = cxr_bench(*words, *own)
    assert (code, fault in " ".join(said.split())) == (2, True), said
    assert sorted(path.name for path in place.iterdir()) == ["data", "models"]


def test_what_is_there_is_not_overwritten(place):
    (place / "mine.toml").write_text("")
    assert cxr_bench("new-suite", "mine") == (
        2,
        "Error: mine.toml exists already; choose another name or delete it first\n",
    )


def test_commands_that_are_said_work_as_they_stand_where_a_path_holds_a_space(place):
    (place / "my suites").mkdir()
    code, made = cxr_bench("new-model", "other", "--models-dir", "my models")
    assert code == 0, made
    assert "\n  cxr-bench list models --models-dir 'my models'\n" in made
    words = ("my suites/first", *AXES[2:], "--models", "other", "--models-dir", "my models")
    code, said = cxr_bench("new-suite", *words)
    assert code == 0, said
    for line in (made.splitlines()[1], said.splitlines()[-1]):
        program, *told = shlex.split(line)
        code, ended = cxr_bench(*told, *(("--data-dir", "data") if told[0] == "run" else ()))
        assert (program, code) == ("cxr-bench", 0), ended


def test_a_set_that_is_not_prepared_is_waited_for_and_those_of_ones_own_are_named(place):
    words = ("--models", "cnn", "--sizes", 64, "--dataset", "image_folder/other")
    code, said = cxr_bench("run", *words, "--dry-run", "--data-dir", "data")
    assert code == 1
    assert f"Prepared are {OWN}" in said


def test_folders_of_models_may_be_named_once_and_for_all(place, monkeypatch):
    monkeypatch.setenv("CXR_BENCH_MODELS", "models")
    code, said = cxr_bench("list", "models")
    assert code == 0
    assert "Mine; parameters counted when it is built" in said


def test_two_files_of_one_name_are_refused(place):
    (place / "other").mkdir()
    for path in ("mine", "other/mine"):
        assert cxr_bench("new-suite", path)[0] == 0
    code, said = cxr_bench("run", "--suite", "mine.toml", "--suite", "other/mine.toml")
    assert (code, "two suite files are called mine" in said) == (2, True)


def test_a_file_may_begin_with_the_mark_that_editors_put_there(place):
    cxr_bench("new-suite", "mine", "--dataset", OWN, "--models", "cnn")
    text = Path("mine.toml").read_text()
    Path("mine.toml").write_text(text, encoding="utf-8-sig")
    assert load_suite(Path("mine.toml")).named_models == ["cnn"]


@pytest.mark.parametrize(
    ("encoding", "told"),
    [
        ("latin-1", "is no text in UTF-8: line 2 has the byte 0xE9"),
        ("utf-16", "is text in UTF-16, not in UTF-8; save it as UTF-8"),
        ("utf-16-le", "is text in UTF-16, not in UTF-8; save it as UTF-8"),
        ("utf-32", "is text in UTF-32, not in UTF-8; save it as UTF-8"),
    ],
)
def test_a_file_in_another_encoding_is_told_where_and_what_to_do(place, encoding, told):
    Path("mine.toml").write_bytes('title = "t"\ndescription = "Santé"\n'.encode(encoding))
    with pytest.raises(UserError, match=told):
        load_suite(Path("mine.toml"))


@pytest.mark.parametrize(
    ("block", "value"),
    [("recipe", "weight_decay = 1e13"), ("recipe", "learning_rate = 1e300"),
     ("recipe", "epochs = 10_000_000_000_000"), ("recipe_for.cnn", "patience = 2e12")],
)  # fmt: skip
def test_numbers_that_no_row_holds_are_refused_with_file_and_block(place, block, value):
    cxr_bench("new-suite", "mine", "--dataset", OWN, "--models", "cnn")
    text = Path("mine.toml").read_text().replace("[recipe]", f"[{block}]\n{value}")
    Path("mine.toml").write_text(text)
    code, said = cxr_bench("run", "--suite", "mine.toml", "--dry-run", "--data-dir", "data")
    assert code == 2
    assert "mine.toml" in said
    assert f"recipe: {value.split()[0]} must be" in said


def test_a_text_that_is_no_suite_is_explained(tmp_path):
    path = Path(tmp_path / "odd.toml")
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(UserError, match=r"odd\.toml"):
        load_suite(path)
