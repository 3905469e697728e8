"""The version of a model file: what changes it, what does not, and the helpers beside it."""

from __future__ import annotations

import ast
import subprocess
import sys

import pytest

from benchmark.models import ModelError, create, discover, load
from benchmark.models._cards import CardError, read_card
from benchmark.models._scaffold import STATEMENT, TEMPLATE
from benchmark.models._source_version import source_version, tree_digest
from benchmark.task import Task

BINARY = Task(("pneumonia",), "binary")
SOUND = TEMPLATE.format(title="Sound", statement=STATEMENT)
WITH_HELPER = SOUND.replace("import keras\n", "import keras\nimport blocks\n").replace(
    "    x = images\n", "    x = blocks.block(images)\n"
)
BLOCK = (
    "import keras\n\n\ndef block(x):\n    return keras.layers.Conv2D(WIDTH, 1)(x)\n\nWIDTH = 3\n"
)


@pytest.fixture
def folder(tmp_path):
    """A folder of model files, with an own name, so that no other test has imported from it."""
    return tmp_path


def write(folder, **files: str):
    """Write ``name=text`` as ``name.py`` (``a__b`` as ``a/b.py``); gives the model ``mine``."""
    for name, text in files.items():
        path = folder / f"{name.replace('__', '/', 1)}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return discover([folder])["mine"]


def version(folder, **files: str) -> str:
    write(folder, **files)
    return source_version(folder / "mine.py")


def digest(source: str) -> str:
    return tree_digest(ast.parse(source))


# What changes nothing, and what does


def test_a_built_in_model_has_the_version_of_its_card():
    found = discover()
    assert {file.version for file in found.values()} == {str(f.card["version"]) for f in
                                                         found.values()}  # fmt: skip
    assert found["cnn"].card["version"] == 1


def test_a_card_may_say_its_version():
    source = SOUND.replace('"source_system": ""', '"source_system": "", "version": VERSION')
    assert read_card(source.replace("VERSION", "7").encode())["version"] == 7
    for wrong in ("0", "True", "'2'", "1.5"):
        with pytest.raises(CardError, match=r"'version'.*whole number from 1"):
            read_card(source.replace("VERSION", wrong).encode())


def test_another_file_has_a_hash(folder):
    version = write(folder, mine=SOUND).version
    assert len(version) == 16
    assert int(version, 16) > 0


SAME = {
    "comment": ("x = 1\n", "# why\nx = 1  # because\n"),
    "blank lines": ("x = 1\ny = 2\n", "\n\nx = 1\n\n\n\ny = 2"),
    "formatting": ("f(a, [1, 2], b=3)\n", "f(\n    a,\n    [1, 2,],\n    b = 3,\n)\n"),
    "parentheses": ("x = (1 + 2)\n", "x = 1 + 2\n"),
    "docstring of the file": ("x = 1\n", '"""Words."""\nx = 1\n'),
    "docstring of a function": (
        "def f():\n    return 1\n",
        "def f():\n    '''Words.'''\n    return 1\n",
    ),
    "other docstring": (
        'class A:\n    """A."""\n    n = 1\n',
        'class A:\n    """B."""\n    n = 1\n',
    ),
    "docstring of a value": ("x = 1\n", 'x = 1\n"""What it is."""\n'),
    "quotes": ("x = 'a'\n", 'x = "a"\n'),
    "kind of text": ("x = 'a'\n", "x = u'a'\n"),
    "text in parts": ("x = 'ab'\n", "x = 'a' 'b'\n"),
    "number's form": ("x = 16\n", "x = 0x10\n"),
    "f-string in parts": ("x = f'a{b}c'\n", "x = f'a' f'{b}' 'c'\n"),
}
OTHER = {
    "number": ("x = 1\n", "x = 2\n"),
    "type of number": ("x = 1\n", "x = 1.0\n"),
    "bool": ("x = 1\n", "x = True\n"),
    "none": ("x = None\n", "x = ''\n"),
    "bytes": ("x = 'a'\n", "x = b'a'\n"),
    "name": ("x = y\n", "x = z\n"),
    "operator": ("x = y + 1\n", "x = y - 1\n"),
    "order": ("f()\ng()\n", "g()\nf()\n"),
    "nesting": ("x = [[1], 2]\n", "x = [[1, 2]]\n"),
    "keyword": ("f(a=1)\n", "f(b=1)\n"),
    "default": ("def f(a, b=1): pass\n", "def f(a=1, b=1): pass\n"),
    "block": ("if a:\n    f()\ng()\n", "if a:\n    f()\n    g()\n"),
    "text that is used": ("x = 'a'\n", "x = 'b'\n"),
    "text with a line break": ("x = 'a\\nb'\n", "x = 'a', 'b'\n"),
    "f-string": ("x = f'{a}'\n", "x = f'{a!r}'\n"),
    "format": ("x = f'{a:2}'\n", "x = f'{a:3}'\n"),
    "level of an import": ("from .a import b\n", "from ..a import b\n"),
}


@pytest.mark.parametrize("case", SAME)
def test_how_it_is_written_changes_nothing(case):
    one, other = SAME[case]
    assert digest(one) == digest(other)


@pytest.mark.parametrize("case", OTHER)
def test_what_it_says_changes_it(case):
    one, other = OTHER[case]
    assert digest(one) != digest(other)


def test_the_digest_is_the_same_under_every_python():
    """Recorded once, and what newer ones add to a tree, when it is not used, changes nothing."""
    source = (
        "import keras\n"
        "@keras.f(a, *b, k=None, **c)\n"
        "def f(a, /, b=1, *, c: int = -2j, **d) -> None:\n"
        "    '''Words.'''\n"
        "    return [f'{a:>{b}}é{c!r}', b'\\0', ..., lambda: (yield), {**d, 1: 'é'}]\n"
        "class A(B): x: int = 10**30\n"
        "match x:\n    case None | {'a': [1, *_]}: pass\n"
    )
    recorded = "1a5a194b76b2068e2c190aea1dd283482bf2603066de34b846336514685b5fdd"
    assert digest(source) == recorded
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            node._fields = (*node._fields, "type_params")  # as from 3.12 on
            node.type_params = []
        if isinstance(node, ast.JoinedStr):  # texts are cut differently from 3.12 on
            node.values = [ast.Constant(""), *node.values, ast.Constant("")]
    assert tree_digest(tree) == recorded


def test_no_expression_is_too_deep():
    tree = ast.parse("x")
    for _ in range(5000):
        tree.body[0].value = ast.UnaryOp(ast.Not(), tree.body[0].value)
    assert len(tree_digest(tree)) == 64


# Files beside it


def test_a_changed_helper_changes_the_version_and_a_comment_in_it_does_not(folder):
    first = version(folder, mine=WITH_HELPER, blocks=BLOCK)
    assert version(folder, blocks="# words\n" + BLOCK) == first
    assert version(folder, blocks=BLOCK.replace("3", "4")) != first
    assert version(folder, blocks=BLOCK, other="x = 1\n") == first, "that one is not imported"


IMPORTS = {
    "import": {"mine": "import a\n", "a": "{}"},
    "from": {"mine": "from a import x\n", "a": "{}"},
    "as": {"mine": "import a as b\n", "a": "{}"},
    "star": {"mine": "from a import *\n", "a": "{}"},
    "in a function": {"mine": "def build():\n    from a import x\n", "a": "{}"},
    "helper's helper": {"mine": "import b\n", "b": "import a\n", "a": "{}"},
    "in a circle": {"mine": "import b\n", "b": "import a, mine\n", "a": "import b\n{}"},
    "package": {"mine": "import a\n", "a____init__": "{}"},
    "in a package": {"mine": "import p.a\n", "p____init__": "", "p__a": "{}"},
    "from a package": {"mine": "from p import a\n", "p____init__": "", "p__a": "{}"},
    "package's own": {"mine": "import p.b\n", "p____init__": "{}", "p__b": ""},
    "relative": {"mine": "from . import a\n", "a": "{}"},
    "relative in a package": {
        "mine": "import p\n",
        "p____init__": "from .a import x",
        "p__a": "{}",
    },
    "up": {"mine": "import p.b\n", "p____init__": "", "p__b": "from .. import a\n", "a": "{}"},
    "in a folder": {"mine": "import p.a\n", "p__a": "{}"},
}


@pytest.mark.parametrize("case", IMPORTS)
def test_every_way_to_import_a_file_counts(folder, case):
    def with_value(n):
        files = {name: text.replace("{}", f"x = {n}\n") for name, text in IMPORTS[case].items()}
        return version(folder, **files)

    assert with_value(1) != with_value(2)
    assert with_value(1) == with_value(1)


def test_the_standard_library_and_installed_packages_do_not_count(folder):
    source = (
        "import queue, os.path, keras, numpy.linalg, benchmark.task, no_such\nfrom .. import up\n"
    )
    alone = version(folder, mine=source)
    (folder.parent / "up.py").write_text("x = 1\n")
    assert version(folder, queue="x = 1\n", keras="x = 1\n", numpy____init__="x = 1\n") == alone
    assert version(folder, no_such="x = 1\n") != alone


def test_a_helper_that_is_no_python_counts_by_its_bytes(folder):
    first = version(folder, mine="import a\n", a="def (\n")
    assert version(folder, a="def ((\n") != first
    assert version(folder, a="x = 1\n") != first


def test_the_version_does_not_depend_on_the_folder(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    versions = {version(tmp_path / n, mine=WITH_HELPER, blocks=BLOCK) for n in ("one", "two")}
    assert len(versions) == 1


# Running them


def traces() -> tuple:
    return list(sys.path), {n for n in sys.modules if n.partition(".")[0] in ("blocks", "p")}


def test_a_helper_is_found_while_the_file_runs_and_leaves_no_trace(folder):
    before = traces()
    model = create(write(folder, mine=WITH_HELPER, blocks=BLOCK), 32, BINARY, "unit")
    assert model.layers[-1].layers[1].filters == 3
    assert traces() == before
    assert sorted(path.name for path in folder.iterdir()) == ["blocks.py", "mine.py"]


def test_a_helper_may_be_imported_in_build(folder):
    source = SOUND.replace("    x = images\n", "    from p.a import block\n    x = block(images)\n")
    before = traces()
    files = {"mine": source, "p____init__": "", "p__a": "from blocks import block\n"}
    model = create(write(folder, **files, blocks=BLOCK), 32, BINARY, "unit")
    assert model.layers[-1].layers[1].filters == 3
    assert traces() == before


def test_what_was_imported_at_the_top_is_the_same_in_build(folder):
    source = SOUND + "\nimport blocks\ndef fresh():\n    import blocks as again\n    return again\n"
    source = source.replace("    x = images\n", "    x = images\n    assert fresh() is blocks\n")
    create(write(folder, mine=source, blocks=BLOCK), 32, BINARY, "unit")


def test_a_changed_helper_makes_the_file_run_anew(folder):
    source = SOUND + "\nimport blocks\nWIDTH = blocks.WIDTH\n"
    assert load(write(folder, mine=source, blocks="WIDTH = 3\n")).WIDTH == 3
    assert load(write(folder, mine=source, blocks="WIDTH = 5\n")).WIDTH == 5


def test_a_helper_changed_after_the_file_was_read_is_not_run(folder):
    model_file = write(folder, mine=WITH_HELPER, blocks=BLOCK)
    write(folder, blocks="# words alone\n" + BLOCK)
    load(model_file)
    model_file = write(folder, mine=WITH_HELPER, blocks=BLOCK.replace("3", "7"))
    write(folder, blocks=BLOCK.replace("3", "8"))
    with pytest.raises(ModelError, match=r"that the model file .*mine\.py imports has changed"):
        load(model_file)


def test_folders_may_have_helpers_of_one_name(tmp_path):
    widths = []
    for width in (3, 4):
        folder = tmp_path / str(width)
        folder.mkdir()
        model_file = write(folder, mine=WITH_HELPER, blocks=BLOCK.replace("3", str(width)))
        widths.append(create(model_file, 32, BINARY, "unit").layers[-1].layers[1].filters)
    assert widths == [3, 4]


def test_a_module_that_others_imported_from_there_stays_theirs(folder, monkeypatch):
    monkeypatch.syspath_prepend(str(folder))
    model_file = write(folder, mine=WITH_HELPER, blocks=BLOCK)
    import blocks  # noqa: F401, RUF100

    theirs = sys.modules["blocks"]
    module = load(model_file)
    assert sys.modules.pop("blocks") is theirs
    assert module.blocks is not theirs


def test_a_helper_shadows_nothing(folder):
    wrong = "raise RuntimeError('the wrong one')\n"
    source = SOUND.replace("import keras\n", "import keras, queue, zipapp, scipy\n", 1)
    model_file = write(folder, mine=source, queue=wrong, zipapp=wrong, scipy=wrong, keras=wrong)
    module = load(model_file)
    assert module.queue.Queue
    assert module.zipapp.__file__ != str(folder / "zipapp.py")


def test_a_fault_in_a_helper_names_the_model_file(folder):
    model_file = write(folder, mine=WITH_HELPER, blocks="1 / 0\n")
    with pytest.raises(ModelError, match=r"mine\.py, line \d+, could not be run: ZeroDivision"):
        load(model_file)
    assert "blocks" not in sys.modules


def test_built_in_models_do_not_see_each_other():
    code = (
        "import sys; from benchmark.models import discover, load; before = list(sys.path)\n"
        "load(discover()['constant']); print(sys.path == before, 'cnn' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "False"]
