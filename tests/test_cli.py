"""The command line as a person meets it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmark.cli import main
from benchmark.machine import environment
from benchmark.machine.devices import Found
from tests.command_line import cxr_bench
from tests.data.claimed_sets import claim, some_lines


@pytest.mark.parametrize("command", ["", *main.commands])
def test_every_command_has_help(command):
    result = cxr_bench(*filter(None, [command]), "--help")
    assert result.exit_code == 0
    assert len(result.output.splitlines()) > 5


PHANTOM = ["--suite", "phantom", "--dataset", "thorax_phantom/default"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "--suite", "pnuemonia"], "Did you mean 'pneumonia'"),
        (["run", "--all", "--filter", "modle=cnn"], "Did you mean 'model'"),
        (["run", "--all", "--filter", "model=cnm", "--dry-run"], "Did you mean 'cnn'"),
        (["run", "--all", "--filter", "dataset=kermany/x", "--dry-run"], "kermany_pneumonia"),
        (["run", "--all", "--filter", "cnn"], "key=value"),
        (["run", *PHANTOM, "--filter", "size=46"], "Did you mean '64'"),
        (["run", *PHANTOM[:2], "--dataset", "kermany"], "'kermany_pneumonia/official'"),
        (
            ["run", "--models", "linaer", "--sizes", "64", "--dataset", "thorax_phantom/small"],
            "unknown model in --models 'linaer'. Did you mean 'linear'?",
        ),
        (["run", *PHANTOM, "--filter", "seed=77"], "Choices: 0, 1, 2."),
        (["run", *PHANTOM, "--executor", "raj", "--dry-run"], "Did you mean 'ray'"),
        (["run"], "--all or --suite"),
        (["run", "--all", "--suite", "phantom"], "--all or --suite"),
        (["prepare", "kermany_pneumonia/offical"], "Did you mean 'kermany_pneumonia/official'"),
        (["prepare", "kermany_pneumonia/official"], "--manual-dir"),
        (["new-model", "My Model"], "My Model"),
        (["new-model", "cnn"], "cnn"),
    ],
)
def test_a_mistake_is_explained_without_a_trace_and_exits_with_2(
    tmp_path, phantom_home, arguments, message
):
    folder = {"run": phantom_home, "prepare": tmp_path}.get(arguments[0])
    folders = ["--data-dir", folder] if folder else []
    result = cxr_bench(*arguments, *folders)
    assert result.exit_code == 2
    assert message in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize("state", ["missing", "empty", "wrong"])
def test_a_wrong_manual_folder_shows_the_expected_tree(tmp_path, state):
    manual = tmp_path / "raw"
    if state != "missing":
        manual.mkdir()
    if state == "wrong":
        (manual / "holiday.jpeg").write_bytes(b"")
    result = cxr_bench(
        "prepare", "kermany_pneumonia/official", "--manual-dir", manual, "--data-dir", tmp_path
    )
    assert result.exit_code == 2
    assert "train/NORMAL" in result.output


def test_an_unwritable_results_folder_is_explained(tmp_path, phantom_home):
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    result = cxr_bench(
        "run", "--suite", "phantom", "--data-dir", phantom_home, "--results", in_the_way / "results"
    )
    assert result.exit_code == 2
    assert "--results" in result.output


@pytest.fixture(scope="module")
def phantom_home(tmp_path_factory):
    """A data folder that only claims to hold the default phantom: enough to plan with."""
    folder = tmp_path_factory.mktemp("data")
    version = folder / "thorax_phantom" / "default" / "1.0.0"
    claim(version, some_lines(20, "Nodule", "Edema"))
    return folder


@pytest.fixture(scope="module")
def planned_ids(phantom_home):
    """The plan of the phantom suite as JSON, by a process of its own on so many cores."""

    def plan(*options, cores=None, **variables):
        script = "import os\n"
        script += f"os.sched_setaffinity(0, {cores!r})\n" if cores else ""
        script += "from benchmark.cli import main\nmain()"
        command = ["run", "--suite", "phantom", "--dry-run", "--json", *options]
        command += ["--data-dir", str(phantom_home), "--results", str(phantom_home / "results")]
        ended = subprocess.run(
            [sys.executable, "-c", script, *command],
            capture_output=True, text=True, check=False, env=os.environ | variables,
        )  # fmt: skip
        assert ended.returncode == 0, ended.stderr
        return json.loads(ended.stdout)

    return plan


@pytest.fixture(scope="module")
def usual_plan(planned_ids):
    return planned_ids()


def test_a_plan_as_json_has_an_entry_for_each_spec(usual_plan):
    assert len(usual_plan) == len({entry["id"] for entry in usual_plan}) > 10
    for entry in usual_plan:
        assert entry.keys() == {"id", "status", "label", "suite", "requires"}
        assert re.fullmatch("[0-9a-f]{12}", entry["id"])
        assert (entry["status"], entry["suite"]) == ("missing", "phantom")
        assert entry["label"].startswith("thorax_phantom/default ")
        assert entry["requires"] == sorted(entry["requires"])
        assert set(entry["requires"]) <= {other["id"] for other in usual_plan}


def test_the_same_is_planned_on_one_core_for_another_backend_and_device(planned_ids, usual_plan):
    one = {min(os.sched_getaffinity(0))} if hasattr(os, "sched_getaffinity") else None
    assert planned_ids(cores=one, KERAS_BACKEND="jax", CXR_BENCH_DEVICE="gpu") == usual_plan


def test_another_precision_is_another_plan_for_what_is_trained(planned_ids, usual_plan):
    reduced = planned_ids("--precision", "mixed_bfloat16")
    ids = {entry["id"] for entry in usual_plan} & {entry["id"] for entry in reduced}
    kept = {entry["label"].split()[1] for entry in usual_plan if entry["id"] in ids}
    assert kept == {"constant", "metadata_only"}
    assert len(reduced) == len(usual_plan)


def test_a_dry_run_says_what_would_be_run_and_writes_nothing(tmp_path, phantom_home):
    results = tmp_path / "results"
    result = cxr_bench(
        "run", "--all", "--dry-run", "--data-dir", phantom_home, "--results", results
    )
    assert result.exit_code == 0
    assert "thorax_phantom/default cnn 64px" in result.output
    assert "Suite pneumonia waits for kermany_pneumonia/official" in result.output
    assert not results.exists()
    nowhere = cxr_bench("run", "--all", "--dry-run", "--data-dir", tmp_path / "no")
    assert "Suite phantom waits for thorax_phantom/default. A run makes it." in nowhere.output


@pytest.mark.parametrize(
    ("asked", "code"),
    [(("--suite", "pneumonia"), 1),
     (("--models", "cnn", "--sizes", "64", "--dataset", "image_folder/nosuch"), 1),
     (("--suite", "phantom"), 0),
     (("--all",), 0)],
)  # fmt: skip
def test_a_run_of_what_was_named_fails_where_its_data_are_not_here(asked, code, tmp_path):
    """A simulated set is none that could be missing, and ``--all`` is what is there."""
    where = ("--data-dir", tmp_path / "no", "--results", tmp_path / "a b")
    said = cxr_bench("run", *asked, "--dry-run", *where)
    assert (said.exit_code, "waits for" in said.output) == (code, True)


def test_what_is_missing_is_said_with_the_way_to_get_it(tmp_path):
    result = cxr_bench("list", "datasets", "--data-dir", tmp_path)
    assert result.exit_code == 0
    assert "embedded" in result.output
    assert "cxr-bench prepare kermany_pneumonia/CONFIG --manual-dir DIR" in result.output


def test_a_new_model_is_one_file_and_appears_at_once(tmp_path, phantom_home):
    made = cxr_bench("new-model", "my_model", "--models-dir", tmp_path)
    assert made.exit_code == 0
    assert "test_model_contract" not in made.output, "tests are of the package's own"
    assert [path.name for path in tmp_path.iterdir()] == ["my_model.py"]
    listed = cxr_bench("list", "models", "--models-dir", tmp_path)
    assert "my_model" in listed.output
    planned = cxr_bench(
        *("run", "--suite", "phantom", "--filter", "model=my_model", "--dry-run"),
        *("--models-dir", tmp_path, "--data-dir", phantom_home, "--results", tmp_path / "results"),
    )
    assert planned.output.count("my_model") == 3


def test_a_new_model_of_the_package_names_its_contract_test(tmp_path, monkeypatch):
    monkeypatch.setattr("benchmark.models._discovery.BUILT_IN", tmp_path)
    said = cxr_bench("new-model", "my_model").output
    assert "python -m pytest tests/models/test_model_contract.py -k my_model" in said
    path = "tests/models/test_model_contract.py"
    assert (Path(__file__).parents[1] / path).is_file()


def test_a_broken_model_file_is_named_and_the_rest_goes_on(tmp_path):
    (tmp_path / "bad.py").write_text("CARD = \n")
    listed = cxr_bench("list", "models", "--models-dir", tmp_path)
    assert listed.exit_code == 0
    assert "bad.py" in listed.output
    assert "4,694,024 parameters at 224 px with 1,000 outputs" in listed.output
    assert "1,141,505 parameters at 64 px with 1 output;" in listed.output
    assert "resnet50" in listed.output


def test_an_empty_results_folder_has_no_leaderboard(tmp_path):
    result = cxr_bench("leaderboard", "--results", tmp_path)
    assert result.exit_code == 2
    assert "holds no rows" in result.output


HEAVY = ("tensorflow", "keras", "jax", "torch", "matplotlib")


def test_a_device_that_is_not_there_is_refused_before_anything_is_planned(tmp_path, monkeypatch):
    nothing = Found([])
    monkeypatch.setattr(environment, "found_by", lambda backend, device: nothing)
    said = cxr_bench("run", "--suite", "phantom", "--device", "gpu", "--results", tmp_path / "r",
                     "--data-dir", tmp_path / "data")  # fmt: skip
    assert said.exit_code == 2
    assert "taken to have a gpu" in said.output
    assert "Specs:" not in said.output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("arguments", [["list"], ["run", "--all", "--dry-run"]])
def test_looking_imports_no_framework(tmp_path, phantom_home, arguments):
    script = (
        "import sys\nfrom benchmark.cli import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        f"assert not {set(HEAVY)!r} & set(sys.modules), set(sys.modules)"
    )
    command = [sys.executable, "-c", script, *arguments, "--data-dir", str(phantom_home)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
