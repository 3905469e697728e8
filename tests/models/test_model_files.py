"""Finding, reading and running model files, the broken ones above all."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.errors import UnknownName, UserError
from benchmark.models import ModelError, NotApplicable, check_size, create, discover, load
from benchmark.models._cards import CardError, read_card
from benchmark.models._scaffold import STATEMENT, TEMPLATE
from benchmark.task import Task

BINARY = Task(("pneumonia",), "binary")
SOUND = TEMPLATE.format(title="Sound", statement=STATEMENT)


@pytest.fixture
def add(tmp_path):
    """Write a model file and give it back as discovered, its neighbours being sound."""

    def write(source: str | bytes, name: str = "mine"):
        data = source if isinstance(source, bytes) else source.encode()
        (tmp_path / f"{name}.py").write_bytes(data)
        (tmp_path / "neighbour.py").write_text(SOUND)
        found = discover([tmp_path])
        assert found["neighbour"].problem is None
        assert found["cnn"].problem is None
        return found[name]

    return write


def changed(old: str, new: str) -> str:
    assert old in SOUND
    return SOUND.replace(old, new)


def test_discovery_imports_no_framework():
    code = (
        "import sys, benchmark.models as m; found = m.discover(); m.check_size(found['cnn'], 64);"
        "print([n for n in ('keras', 'tensorflow', 'sklearn', 'jax') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_names_are_file_names_and_helpers_are_left_out():
    found = discover()
    assert list(found) == sorted(found)
    assert {"constant", "metadata_only", "linear", "mlp", "cnn", "googlenet"} <= set(found)
    assert not [name for name in found if name.startswith("_")]
    assert all(file.path.stem == name and len(file.sha256) == 64 for name, file in found.items())


BROKEN_CARDS = {
    "syntax error": ("def build(:\n", "line 1: not valid Python"),
    "null byte": (b"CARD = {}\0", "not valid Python"),
    "UTF-16": ("CARD = {}".encode("utf-16"), "text in UTF-16, not in UTF-8"),
    "Latin-1": (b'"""\nUniversit\xe9"""\n', "line 2 has the byte 0xE9"),
    "empty file": ("", "no CARD"),
    "no card": ("def build(input_shape, task, weights): ...\n", "no CARD"),
    "declared only": ("CARD: dict\n", "no CARD"),
    "not a literal": ("n = 3\nCARD = {'channels': n}\n", "line 2: CARD is not a literal"),
    "a call": ("CARD = dict(title='x')\n", "line 1: CARD is not a literal"),
    "a list": ("CARD = ['title']\n", "CARD is a list, not a dict"),
    "wrong key": (changed('"channels"', '"chanels"'), "'chanels'.*Did you mean 'channels'"),
    "missing key": (changed('    "description"', '    #"description"'), "lacks 'description'"),
    "wrong type": (changed('"min_size": 32', '"min_size": "32"'), r"'min_size'.*whole number"),
    "bool for a number": (changed('"min_size": 32', '"min_size": True'), "'min_size'"),
    "two channels": (changed('"channels": 1,  #', '"channels": 2,  #'), "expected 1 or 3"),
    "unhashable": (changed('"inputs": "image"', '"inputs": ["image"]'), "'inputs'"),
    "empty title": (changed('"title": "Sound"', '"title": " "'), "'title'"),
    "odd normalisation": (changed('"standardise"', '"zscore"'), "'own_normalisation'.*'caffe'"),
    "max below min": (changed('"max_size": None', '"max_size": 16'), "max_size.* below"),
    "size outside": (changed('"min_size": 32', '"min_size": 128'), "outside min_size"),
    "files of no source": (
        changed('"weights": {}', '"weight_files": ["a.h5"], "weights": {}'),
        "no source",
    ),
    "a package without a hash": (
        changed('"weights": {}', '"weight_package": {"distribution": "x"}, "weights": {}'),
        "'weight_package'.*'sha256'",
    ),
    "a package of no file": (
        changed(
            '"weights": {}',
            '"weight_package": {"distribution": "x", "install": "x", "sha256": "x"}, "weights": {}',
        ),
        "holds one file",
    ),
    "a cost that cannot be": (changed('"max_size": None', '"max_size": 128'), "gmacs_224"),
}


@pytest.mark.parametrize("case", BROKEN_CARDS)
def test_broken_card_is_named_and_the_rest_goes_on(add, case):
    source, complaint = BROKEN_CARDS[case]
    model_file = add(source)
    assert str(model_file.path) in model_file.problem
    with pytest.raises(ModelError, match=complaint):
        load(model_file)
    with pytest.raises(ModelError, match=r"mine\.py"):
        create(model_file, 64, BINARY, "unit")


def test_how_large_a_model_is_need_not_be_said(add):
    card = add(TEMPLATE.format(title="Private", statement="")).card
    assert (card["parameters"], card["gmacs_224"]) == ({}, None)


@settings(max_examples=60, deadline=None)
@given(
    st.one_of(st.binary(max_size=60), st.text(max_size=60).map(lambda t: f"CARD = {t}".encode()))
)
def test_any_bytes_give_a_card_or_a_reason(source):
    with pytest.raises(CardError, match=r"\w"):
        read_card(source)


def test_unreadable_file_is_named(add, tmp_path):
    (tmp_path / "gone.py").symlink_to(tmp_path / "nowhere")
    add(SOUND)
    assert "gone.py: cannot be read" in discover([tmp_path])["gone"].problem


def test_editor_leftovers_folders_and_helpers_are_no_models(add, tmp_path):
    for name in ("_helper.py", "__init__.py", ".#mine.py", "._mine.py", "notes.txt"):
        (tmp_path / name).write_text("garbage")
    (tmp_path / "folder.py").mkdir()
    add(SOUND)
    assert set(discover([tmp_path])) - set(discover()) == {"mine", "neighbour"}


def test_file_name_that_no_filter_could_hold_is_refused(add):
    assert "for instance my_model" in add(SOUND, "my,model").problem


def test_a_name_taken_twice_is_nobodys(add, tmp_path):
    model_file = discover([tmp_path])["linear"]
    assert model_file.problem is None
    (tmp_path / "linear.py").write_text(SOUND)
    problem = discover([tmp_path])["linear"].problem
    assert str(tmp_path / "linear.py") in problem
    assert str(model_file.path) in problem


def test_a_folder_given_twice_counts_once(add, tmp_path):
    add(SOUND)
    built_in = discover()["cnn"].path.parent
    found = discover([tmp_path, tmp_path / ".." / tmp_path.name, built_in])
    assert {file.problem for file in found.values()} == {None}


def test_missing_folder_is_the_users_error(tmp_path):
    with pytest.raises(UserError, match="nowhere is not a folder"):
        discover([tmp_path / "nowhere"])


BROKEN_CODE = {
    "import": (
        "import keras",
        "import no_such_package",
        r"line \d+, could not be run: ModuleNotFound",
    ),
    "exit": ("import keras", "raise SystemExit(3)", r"line \d+, could not be run: SystemExit: 3"),
    "no build": (
        "def build(",
        "def construct(",
        r"no function build\(input_shape, task, weights\)",
    ),
    "not callable": ("def build(", "build = 3\ndef construct(", "no function build"),
    "arguments": (
        "build(input_shape, task, weights)",
        "build(shape)",
        r"line \d+: build cannot be",
    ),
    "build raises": (
        "    x = images\n",
        "    x = 1 / 0\n",
        r"line \d+, could not build.*ZeroDivision",
    ),
    "keras raises": ("keras.Input(input_shape)", "keras.Input(3)", r"line \d+, could not build"),
    "returns none": ("return keras.Model", "keras.Model", "returned a NoneType, not a keras.Model"),
    "output shape": ("logits(x, task))", "x)", r"output shape \(None, 64\); expected \(None, 1\)"),
    "input shape": ("keras.Input(input_shape)", "keras.Input((16, 16, 1))", "input shape"),
    "two outputs": ("logits(x, task))", "[logits(x, task), x])", "output shape"),
    "head's name": (
        "logits(x, task))",
        "keras.layers.Dense(1)(x))",
        "without a layer named 'logits'",
    ),
    "head's type": (
        "logits(x, task))",
        "keras.layers.Dense(1, dtype='bfloat16', name='logits')(x))",
        "bfloat16 output; expected float32",
    ),
}


@pytest.mark.parametrize("case", BROKEN_CODE)
def test_broken_code_is_named(add, case):
    old, new, complaint = BROKEN_CODE[case]
    model_file = add(changed(old, new))
    assert model_file.problem is None, "only running it can tell"
    with pytest.raises(ModelError, match=complaint) as caught:
        create(model_file, 64, BINARY, "unit")
    assert str(model_file.path) in str(caught.value)


def test_line_named_is_the_files_own(add):
    source = changed("    x = images\n", "    x = images.no_such_thing\n")
    line = source.splitlines().index("    x = images.no_such_thing") + 1
    with pytest.raises(ModelError, match=f"mine.py, line {line}, could not build"):
        create(add(source), 64, BINARY, "unit")


def test_file_changed_after_it_was_read_is_not_run(add):
    model_file = add(SOUND)
    model_file.path.write_text(SOUND + "\n")
    with pytest.raises(ModelError, match="has changed"):
        load(model_file)


def test_edited_file_is_run_anew(add):
    assert load(add(SOUND + "\nMARK = 1\n")).MARK == 1
    assert load(add(SOUND + "\nMARK = 2\n")).MARK == 2


def test_own_file_may_define_dataclasses_and_leaves_nothing_behind(add, tmp_path):
    source = (
        SOUND + "\nfrom dataclasses import dataclass\n@dataclass\nclass Width:\n    n: int = 3\n"
    )
    assert load(add(source)).Width().n == 3
    assert {path.name for path in tmp_path.iterdir()} == {"mine.py", "neighbour.py"}


def test_unknown_normalisation_lists_the_choices():
    with pytest.raises(UnknownName, match="Did you mean 'imagenet'"):
        create(discover()["cnn"], 64, BINARY, "imagent")


def test_a_package_that_is_missing_is_named_with_how_to_get_it(add):
    model_file = add(changed('"weights": {},', '"weights": {}, "packages": {"no_such": "get it"},'))
    with pytest.raises(NotApplicable, match=r"mine needs no_such, .* not installed: get it"):
        check_size(model_file, 64)


def test_weights_are_refused_where_they_cannot_be_used(tmp_path):
    found = discover()
    with pytest.raises(NotApplicable, match="cnn takes no weights"):
        create(found["cnn"], 64, BINARY, "unit", weights="some.h5")
    missing = tmp_path / "missing.h5"
    with pytest.raises(NotApplicable, match=r"missing\.h5.* does not exist"):
        create(found["mobilenetv2"], 64, BINARY, "unit", weights=str(missing))
    (tmp_path / "garbage.weights.h5").write_text("garbage")
    with pytest.raises(UserError, match=r"garbage\.weights\.h5 does not fit mobilenetv2"):
        create(found["mobilenetv2"], 32, BINARY, "unit", str(tmp_path / "garbage.weights.h5"))


def test_metadata_models_are_not_built_and_image_models_not_fitted():
    from benchmark.models import fit

    with pytest.raises(NotApplicable, match="sees no images"):
        create(discover()["constant"], 64, BINARY, "unit")
    with pytest.raises(NotApplicable, match="sees images"):
        fit(discover()["linear"], {}, None, None, BINARY)


def test_paths_are_absolute_whatever_folder_is_given(monkeypatch, tmp_path):
    (tmp_path / "mine.py").write_text(SOUND)
    monkeypatch.chdir(tmp_path)
    assert discover([Path()])["mine"].path == tmp_path / "mine.py"
