"""The benchmark from Python: the page's example, and what importing costs."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from contextlib import redirect_stderr
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import benchmark
from benchmark.cli import main
from benchmark.commands.terminal import libraries_logged
from benchmark.errors import UnknownName, UserError
from benchmark.records.predictions import read_predictions
from benchmark.records.scores import Gap, Scores
from benchmark.records.store import Results
from benchmark.report.comparing.lookup import find
from benchmark.report.export.dictionary import dictionary
from benchmark.report.export.found import found_json
from tests.commands.conftest import SET, Score, table
from tests.records.written import write_predictions
from tests.report.conftest import add, add_seeds, results

__all__ = ["add", "add_seeds", "results"]  # fixtures

PAGE = Path(__file__).parents[1] / "docs" / "api.md"
SHOWN = PAGE.read_text().replace("thorax_phantom/default", "thorax_phantom/small")
"""The page with a set that takes no time."""
BLOCKS = re.findall(r"```python\n(.*?)```", SHOWN, re.DOTALL)


@pytest.fixture(scope="module")
def shown(phantom, tmp_path_factory):
    """What the page's example leaves: its names, run block after block in an empty folder.

    Its data set is prepared, which takes time.
    """
    folder = tmp_path_factory.mktemp("notebook")
    names: dict = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("TFDS_DATA_DIR", str(phantom[1]))
        patch.setenv("CXR_BENCH_CACHE", str(folder / "cache"))
        for block in BLOCKS:
            exec(compile(block, str(PAGE), "exec"), names)
        yield names


def test_the_example_of_the_page_runs(shown):
    assert len(BLOCKS) == 3
    board, said = shown["board"], shown["said"]
    assert sorted(board["model"]) == ["constant", "linear"]
    known = {meaning.name for meaning in dictionary()}
    assert {"model", "resolution", "test_auc"} <= set(board.columns) & known
    assert set(said["seed"]) == {0, 1, 2}
    assert {"image_id", "split", "target:Nodule", "probability:Nodule"} <= set(said.columns)
    assert (shown["auc"]["difference"], shown["auc"]["interval"]) == (None, None)
    assert shown["auc"]["note"] == "A and B: no finding has enough patients on test"


def test_a_comparison_is_a_minus_b(results, add_seeds):
    first, second = add_seeds("cnn", strength=3.0)[0], add_seeds("mlp", strength=1.0)[0]
    ids = first.config_id, second.config_id
    told = benchmark.compare(*ids, finding="pneumonia", results=results.folder)
    board = benchmark.load_results(results.folder).set_index("model")["test_auc"]
    assert told["difference"]["auc"]["difference"] == pytest.approx(board["cnn"] - board["mlp"])
    assert told["auc_of_finding"]["pneumonia"]["p"] < 1


def test_images_come_as_models_of_the_benchmark_see_them(shown):
    x, y = next(iter(shown["test"]))
    assert x.shape[1:] == (32, 32, 1)
    assert (x.dtype, y.dtype) == ("float32", "float32")
    assert 0 <= float(x.numpy().min()) <= float(x.numpy().max()) <= 1
    assert y.shape == (len(x), len(shown["findings"]))
    assert shown["model"].output_shape == (None, len(shown["findings"]))


def test_scores_of_a_rows_own_predictions_are_the_rows(shown):
    said = shown["said"]
    spec_id = said.loc[said["seed"] == 0, "spec_id"].iloc[0]
    own = benchmark.load_predictions(spec_id, "my_results")
    columns = ["image_id", "split", *(c for c in own.columns if c.startswith("logit:"))]
    scores = benchmark.score(own[columns], "thorax_phantom/small")
    store = Results(Path("my_results"))
    kept = found_json(store, find(store, spec_id))["rows"][0]["scores"]
    for split in ("train", "validation", "test"):
        assert scores["splits"][split] == kept["splits"][split]
    assert scores["thresholds"] == kept["thresholds"]
    for told in (scores, kept):  # also what a file leaves out
        assert told.keys() == {*Scores.__struct_fields__}
        assert told["two_valued"] is False
        assert all(gap.keys() == {*Gap.__struct_fields__} for gap in told["gap"].values())


TASK = benchmark.Task(("a",), "binary")


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: benchmark.build_model("cnnn", 64, benchmark.Task(("a",), "binary")), UnknownName,
         "Did you mean 'cnn'"),
        (lambda: benchmark.load_dataset("thorax_phantom/smal"), UnknownName, "phantom/small"),
        (lambda: benchmark.load_dataset("thorax_phantom/small", size=0), UserError, "from 1 to"),
        (lambda: benchmark.load_dataset("thorax_phantom/small", batch_size=0), UserError, "from 1"),
        (lambda: benchmark.load_dataset("thorax_phantom/small", preprocessing="lung_masked"),
         UserError, "needs masks of the lungs"),
        (lambda: benchmark.load_dataset("thorax_phantom/small", preprocessing="rwa"), UnknownName,
         "Did you mean 'raw'"),
        (lambda: benchmark.load_dataset("thorax_phantom/small", size="64"), UserError, "not '64'"),
        (lambda: benchmark.build_model("cnn", "64", TASK), UserError, "64"),
        (lambda: benchmark.build_model("cnn", 64, ("a",)), UserError, "name of a prepared set or"),
        (lambda: benchmark.build_model("cnn", 64, None), UserError, r"Task\(.*, not None"),
        (lambda: benchmark.Task(("a",), "binray"), UnknownName, "Did you mean 'binary'"),
        (lambda: benchmark.Task("binary", ("a",)), UnknownName, "kind of task"),
        (lambda: benchmark.Task(("a",), None), UnknownName, "kind of task 'None'"),
        (lambda: benchmark.Task("Effusion", "binary"), UserError, "a tuple of names.*'Effusion'"),
        (lambda: benchmark.Task(["a"], "binary"), UserError, r"a tuple of names.*\['a'\]"),
        (lambda: benchmark.Task(None, "binary"), UserError, "a tuple of names.*None"),
        (lambda: benchmark.Task(("a", 1), "multilabel"), UserError, "a tuple of names"),
        (lambda: benchmark.Task(("a", ""), "multilabel"), UserError, "a tuple of names"),
        (lambda: benchmark.Task(("a", "a"), "multilabel"), UserError, "each there once"),
        (lambda: benchmark.Task((), "multilabel"), UserError, "0 finding.s.: binary is one"),
        (lambda: benchmark.Task(("a", "b"), "binary"), UserError, "cannot have 2 finding"),
        (lambda: benchmark.Task(("a",), "multiclass"), UserError, "exclude each other"),
        (lambda: benchmark.load_results("nowhere"), UserError, "no results folder nowhere"),
        (lambda: benchmark.load_predictions("abc", "nowhere"), UserError, "holds no rows"),
        (lambda: benchmark.run("nobody"), UnknownName, "unknown suite"),
        (lambda: benchmark.run("phantom", limit_images=3), UserError, "limit-images.*3 is not in"),
        (lambda: benchmark.run("phantom", jobs=0), UserError, "jobs.*0 is not in the range"),
        (lambda: benchmark.run("phantom", jobs="two"), UserError, "'two' is not a valid integer"),
        (lambda: benchmark.run(None), UserError, "suite is a path, not None"),
        (lambda: benchmark.run("phantom", results=None), UserError, "results is a path, not None"),
        (lambda: benchmark.run("phantom", models_dirs="mine"), UserError,
         "models_dirs is a list of paths, not 'mine'"),
        (lambda: benchmark.run("phantom", cache_dir=1), UserError, "cache_dir is a path, not 1"),
        (lambda: benchmark.load_results(None), UserError, "results is a path, not None"),
        (lambda: benchmark.load_predictions(None), UserError, "row is a text, not None"),
        (lambda: benchmark.load_predictions("abc", 3), UserError, "results is a path, not 3"),
        (lambda: benchmark.compare("abc", 3), UserError, "b is a text, not 3"),
        (lambda: benchmark.compare("a", "b", finding=None), UserError, "finding is a text"),
        (lambda: benchmark.compare("a", "b", results=None), UserError, "results is a path"),
        (lambda: benchmark.load_dataset(None), UserError, "name is a text, not None"),
        (lambda: benchmark.load_dataset("x", split=None), UserError, "split is a text, not None"),
        (lambda: benchmark.load_dataset("x", batch_size="8"), UserError, "from 1, not '8'"),
        (lambda: benchmark.load_dataset("x", preprocessing=["raw"]), UserError,
         r"preprocessing is a text, not \['raw'\]"),
        (lambda: benchmark.load_dataset("x", data_dir=1), UserError, "data_dir is a path, not 1"),
        (lambda: benchmark.build_model(["cnn"], 64, TASK), UserError, "name is a text"),
        (lambda: benchmark.build_model("cnn", 64, TASK, normalisation=None), UserError,
         "normalisation is a text, not None"),
        (lambda: benchmark.build_model("cnn", 64, TASK, models_dirs=[None]), UserError,
         "models_dirs is a path, not None"),
        (lambda: benchmark.score(None, "x"), UserError, "pandas.DataFrame .*, not NoneType; see"),
        (lambda: benchmark.score({"image_id": ["a"]}, "x"), UserError, "pandas.*, not dict"),
        (lambda: benchmark.score(np.zeros(3), "x"), UserError, "pandas.*, not ndarray"),
        (lambda: benchmark.score(pd.DataFrame(), None), UserError, "dataset is a text, not None"),
        (lambda: benchmark.nonsense, AttributeError, "no attribute 'nonsense'"),
    ],
)  # fmt: skip
def test_mistakes_are_told(call, error, text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=text):
        call()


GIVEN = {
    "a doubled column": (
        lambda t: pd.concat([t, t[["Pneumonia"]]], axis=1),
        "a column cannot be read .*Duplicate",
    ),
    "texts and a number": (
        lambda t: t.assign(image_id=[5, *t["image_id"][1:]]),
        "a column cannot be read .*column image_id",
    ),
    "ids as the index": (lambda t: t.set_index("image_id"), "give predictions.reset_index"),
    "no ids": (lambda t: t.drop(columns="image_id"), "predictions: there is no column image_id"),
    "no prediction": (
        lambda t: t.assign(Pneumonia=np.nan),
        "predictions, entry 1: Pneumonia is not a finite number",
    ),
    "objects": (lambda t: t.assign(Pneumonia=[object()] * len(t)), "a column cannot be read"),
    "a line short": (lambda t: t[1:], "predictions: its test images are not those"),
}


@pytest.mark.parametrize("case", GIVEN)
def test_a_table_that_is_no_predictions_is_told(case, tmp_path):
    change, why = GIVEN[case]
    score = Score.on_a_set(tmp_path)
    with pytest.raises(UserError, match=why) as told:
        benchmark.score(change(table()), SET, data_dir=score.data_dir)
    assert ".parquet" not in str(told.value)


def test_what_the_command_warns_of_is_warned_of_from_python(tmp_path):
    score = Score.on_a_set(tmp_path)
    swapped = table().assign(Pneumonia=lambda t: 1 - t["Pneumonia"].round(0))
    with pytest.warns(UserWarning, match="within 0.001|the other class") as told:
        benchmark.score(swapped, SET, data_dir=score.data_dir)
    assert {Path(each.filename) for each in told} == {Path(__file__)}, "the line of the caller"
    warned = [str(each.message) for each in told]
    assert [text[:20] for text in warned] == ["probabilities within", "AUC is surely below "]
    said = score("--check", score.write("theirs.csv", swapped.to_csv(index=False))).said
    assert re.findall("Warning: (.*)", said) == warned


def test_predictions_that_were_changed_after_their_run_are_warned_of(results, add_seeds):
    rows = add_seeds("cnn")
    config = rows[0].config_id
    before = benchmark.load_predictions(config, results.folder)
    path = results.predictions_path(rows[1].spec_id)
    content = read_predictions(path, "binary")
    content.probabilities[:] = content.probabilities[::-1].copy()
    write_predictions(path, content)
    with pytest.warns(UserWarning, match="was changed after its run") as told:
        after = benchmark.load_predictions(config, results.folder)
    assert not after.equals(before)
    (warning,) = told
    assert Path(warning.filename) == Path(__file__)
    said = CliRunner().invoke(main, [
        "predictions", config, "--out", str(results.folder / "x.csv"),
        "--results", str(results.folder),
    ]).stderr  # fmt: skip
    assert str(warning.message).startswith(str(path))
    assert f"Warning: {warning.message}.\n" in said


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="file"):
        benchmark.run("phantom", results=tmp_path / "file" / "results", data_dir=tmp_path)


def test_names_stay_names_in_a_table_of_results(results, add_seeds, add):
    names = ["null", "NA", "nan", "None", "007", "1e5", "True", "cnn"]
    for name in names:
        add(name)
    board = benchmark.load_results(results.folder)
    assert sorted(board["model"]) == sorted(names)
    assert np.isnan(board["test_auc_seed_sd"]).all()
    assert board["test_auc"].dtype == float


def test_numbers_alone_as_names_stay_names(results, add):
    add("007")
    assert benchmark.load_results(results.folder)["model"].tolist() == ["007"]


def test_a_model_is_built_for_a_task(tmp_path):
    model = benchmark.build_model("mlp", 32, benchmark.Task(("a", "b"), "multilabel"))
    assert model.input_shape == (None, 32, 32, 1)
    assert model.output_shape == (None, 2)


def test_importing_it_imports_nothing_else():
    code = (
        "import sys; before = set(sys.modules); import benchmark; benchmark.__version__; "
        "assert 'run' in dir(benchmark); "
        "new = {m.partition('.')[0] for m in set(sys.modules) - before}; "
        "print(sorted(new - set(sys.stdlib_module_names)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['benchmark']"


def test_the_functions_are_reached_without_a_framework():
    code = (
        "import sys, benchmark; [getattr(benchmark, name) for name in benchmark.__all__]; "
        "heavy = {'tensorflow', 'keras', 'pandas', 'matplotlib', 'torch', 'jax'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


NOISY = """
import os, sys, benchmark
from benchmark import api
def noisy():
    os.write(2, b"noise of a library\\n")
    print("said", file=sys.stderr)
api._quietly(noisy)()
os.write(2, b"afterwards\\n")
print(os.environ["TF_CPP_MIN_LOG_LEVEL"])
"""


@pytest.mark.parametrize(
    ("said", "level", "shown"),
    [
        ({}, "2", "said\nafterwards\n"),
        ({"TF_CPP_MIN_LOG_LEVEL": "0"}, "0", "noise of a library\nsaid\nafterwards\n"),
    ],
)
def test_tensorflow_is_quiet_as_it_starts_unless_asked_to_talk(said, level, shown, tmp_path):
    around = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", NOISY], capture_output=True, text=True, check=True,
        env=around | said | {"CXR_BENCH_CACHE": str(tmp_path)},
    )  # fmt: skip
    assert (done.stdout.strip(), done.stderr) == (level, shown)
    log = tmp_path / "logs" / "libraries.log"
    assert (log.read_text() if log.is_file() else "") == ("" if said else "noise of a library\n")


def test_in_a_notebook_python_writes_elsewhere_and_still_is_heard():
    """Its standard error is not the process's, which libraries write to."""
    said = io.StringIO()
    with redirect_stderr(said), libraries_logged():
        print("said", file=sys.stderr)
    assert said.getvalue() == "said\n"


def test_python_m_benchmark_is_the_command_line():
    command = [sys.executable, "-m", "benchmark", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == f"cxr-bench, version {benchmark.__version__}\n"
