"""Where rows were made: said in words, and a table that mixes environments says so."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from benchmark.cli import main
from benchmark.records.predictions import read_predictions
from benchmark.records.run_facts import Accelerator, Speed
from benchmark.report.export.leaderboard import write
from benchmark.report.gathering.environments import Machine, differences
from tests.records.rows import a_row, a_spec, an_environment
from tests.records.written import write_predictions

H100 = Accelerator(name="NVIDIA H100", count=2, memory_gb=79.2, driver=None)
ON_GPU = {
    "backend": "jax",
    "device": "gpu",
    "accelerator": H100,
    "packages": {"keras": "3.15.1", "jax": "0.10.2"},
}


def rows_in(*environments: dict) -> list:
    return [
        a_row(a_spec(seed=seed), environment=an_environment(**facts))
        for seed, facts in enumerate(environments)
    ]


def test_what_differs_is_named_with_its_values():
    assert differences(rows_in({}, ON_GPU)) == {
        "backend": ["jax", "tensorflow"],
        "device": ["cpu", "gpu"],
    }
    assert differences(rows_in(ON_GPU, ON_GPU | {"accelerator": Accelerator(
        name="NVIDIA H200", count=1, memory_gb=None, driver=None)})) == {
        "accelerator": ["2 x NVIDIA H100", "NVIDIA H200"],
    }  # fmt: skip
    assert differences(rows_in({"threads": 2}, {"threads": 4})) == {"threads": ["2", "4"]}


@pytest.mark.parametrize(
    "other",
    [
        {},
        {"threads": None, "cpu": None, "backend": None},
        {"packages": {}},
        {"packages": {"keras": "3.15.1", "tensorflow-datasets": "9"}},
        {"memory_gb": 99, "cores": 64, "system": "Another"},
    ],
)
def test_what_was_not_recorded_or_cannot_show_in_numbers_is_no_difference(other):
    assert differences(rows_in({}, other)) == {}


def test_two_names_of_tensorflow_are_one_package():
    versions = (
        {"tensorflow": "2.21.0"},
        {"tensorflow-cpu": "2.21.0"},
        {"tensorflow-cpu": "2.20.0"},
    )
    first, same, other = rows_in(*({"packages": each} for each in versions))
    assert differences([first, same]) == {}
    assert differences([first, other]) == {"tensorflow": ["2.20.0", "2.21.0"]}


def test_rows_that_train_no_network_mix_nothing():
    first, other = rows_in({}, ON_GPU)
    blind = a_row(a_spec(recipe={}), environment=other.environment)
    failed = a_row(environment=other.environment, status="failed")
    assert differences([first, blind, failed]) == {}


def test_a_table_that_mixes_environments_says_so(results, add, add_seeds):
    add_seeds("cnn")
    assert "more than one environment" not in write(results).read_text()
    add("mlp", environment=an_environment(cpu="Some CPU", threads=4))
    text = write(results).read_text()
    assert "- Trained in more than one environment: they differ in threads (2, 4)." in text
    (table,) = json.loads((results.folder / "leaderboard.json").read_bytes())["tables"]
    assert table["environments_differ_in"] == {"threads": ["2", "4"]}


def test_machines_in_words():
    assert Machine.of(an_environment()).words == ["some processor", "2 cores", "8 GB"]
    assert Machine.of(an_environment(**ON_GPU)).words[-1] == "2 x NVIDIA H100"
    assert Machine.of(an_environment(**ON_GPU), Speed()).words[-1] == "2 x NVIDIA H100"
    shared = Machine.of(an_environment(**ON_GPU), Speed(sharing=4))
    assert shared.words[-1] == "shared by 4 specs", "its times have a letter of their own"
    unknown = dict.fromkeys(("cpu", "cores", "memory_gb"))
    assert Machine.of(an_environment(**unknown)).words == []
    assert Machine.of(an_environment(**unknown)).as_dict() == {}


def shown(results, spec_id: str) -> str:
    return CliRunner().invoke(main, ["show", spec_id, "--results", str(results.folder)]).output


def test_show_tells_the_environment_and_what_was_not_recorded(results, add):
    row = add("cnn", environment=an_environment(**ON_GPU))
    page = " ".join(shown(results, row.spec_id).split())
    for text in (
        "Backend jax", "Device gpu", "2 x NVIDIA H100, 79.2 GB, driver not recorded",
        "Threads 2", "System Linux, x86_64", "jax 0.10.2, keras 3.15.1",
        "Keras float32, epsilon 1e-07, channels_last", "model 1",
    ):  # fmt: skip
        assert text in page, text
    names = ("backend", "device", "threads", "system", "machine", "keras")
    bare = add("mlp", environment=an_environment(**dict.fromkeys(names)))
    page = " ".join(shown(results, bare.spec_id).split())
    for name in ("Backend", "Device", "Accelerator", "Threads", "System", "Keras"):
        assert f"{name} not recorded" in page, name


def test_show_and_compare_say_that_predictions_were_changed(results, add):
    row, other = add("cnn"), add("mlp")
    assert "were changed" not in shown(results, row.spec_id)
    path = results.predictions_path(row.spec_id)
    predictions = read_predictions(path, "binary")
    predictions.logits[-40:] = 0
    write_predictions(path, predictions)
    assert "predictions were changed after the run, seed 0" in shown(results, row.spec_id)
    arguments = ["compare", other.spec_id, row.spec_id, "--results", str(results.folder)]
    told = CliRunner().invoke(main, arguments).output
    assert "Note on B: predictions were changed after the run, seed 0" in told
