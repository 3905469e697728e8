"""`cxr-bench evaluate` of several seeds: some finished, some not, some tested before."""

from __future__ import annotations

import numpy as np
import pytest
from click.testing import CliRunner
from msgspec import structs

from benchmark.cli import main
from benchmark.records.predictions import read_predictions
from benchmark.records.run_facts import Failure
from benchmark.records.store import Results
from benchmark.training.network import fresh_model
from tests.execution.conftest import ENVIRONMENT, Bench, make_suite
from tests.execution.test_cross import another


@pytest.fixture(scope="module")
def bench(phantom, tmp_path_factory):
    """A results folder whose name has a space; of a configuration seed 0 failed, two are done."""
    made = Bench(phantom, tmp_path_factory.mktemp("two of three"))
    made.run(made.plan(make_suite(["linear"], seeds=[1, 2], recipe={"epochs": 1})))
    (row, *_) = made.results.rows()
    spec = structs.replace(row.spec, seed=0)
    made.results.write_row(
        structs.replace(
            row, spec=spec, spec_id=spec.spec_id, status="failed", predictions_sha256=None,
            weights_sha256=None, error=Failure(reason="no room"),
        )
    )  # fmt: skip
    return made


@pytest.fixture
def evaluate(bench, monkeypatch):
    """Calls of the command, on the same images as if they were another set."""
    target = another(bench.prepared)
    monkeypatch.setattr("benchmark.data.prepared.load_prepared", lambda *_: target)
    monkeypatch.setattr("benchmark.commands.evaluate.start_framework", lambda: ENVIRONMENT)
    folders = {
        "--results": bench.results.folder,
        "--data-dir": bench.data_dir,
        "--cache-dir": bench.cache_dir,
    }

    def call(text, *words):
        given = [str(word) for option in folders.items() for word in option]
        on = ["--on", target.name]
        told = CliRunner().invoke(main, ["evaluate", text, *on, *words, *given])
        return told.exit_code, told.output

    return call


def seeds(results: Results) -> list[int]:
    return sorted(row.spec.seed for row in results.cross.rows())


def test_finished_seeds_are_tested_and_what_is_there_is_left(bench, evaluate, monkeypatch):
    rows = {row.spec.seed: row for row in bench.results.rows()}
    config = rows[1].config_id
    code, said = evaluate(rows[2].spec_id)
    assert (code, seeds(bench.results)) == (0, [2]), said
    code, said = evaluate(config)
    assert (code, seeds(bench.results)) == (0, [1, 2]), said
    assert "Left out: seed 0, which is failed: no room" in said
    assert "seed 1: AUC" in said
    assert "seed 2: tested there before; --replace" in said
    assert f"cxr-bench leaderboard --results '{bench.results.folder}'" in said

    def never(*_):
        raise AssertionError

    monkeypatch.setattr("benchmark.commands.evaluate.start_framework", never)
    code, said = evaluate(config)
    assert (code, said.count("tested there before")) == (0, 2), said


def test_all_are_tested_anew_where_that_is_asked_for(bench, evaluate):
    config = next(bench.results.rows()).config_id
    evaluate(config)
    code, said = evaluate(config, "--replace")
    assert (code, said.count(": AUC"), "before" in said) == (0, 2, False), said


def test_one_network_takes_the_weights_of_every_seed(bench, evaluate, monkeypatch):
    """TensorFlow would compile one a seed anew, and warn of it between the lines."""
    made = []

    def counted(*given):
        made.append(given)
        return fresh_model(*given)

    monkeypatch.setattr("benchmark.training.network.fresh_model", counted)
    code, said = evaluate(next(bench.results.rows()).config_id, "--replace")
    assert (code, len(made)) == (0, 1), said
    for there in bench.results.cross.rows():
        own, other = (
            read_predictions(results.predictions_path(spec_id), "multilabel").part("test")
            for results, spec_id in (
                (bench.results, there.made_from["network"].spec_id),
                (bench.results.cross, there.spec_id),
            )
        )
        np.testing.assert_array_equal(other.logits, own.logits)


def test_a_row_that_is_not_finished_is_refused(bench, evaluate):
    (failed,) = (row for row in bench.results.rows() if not row.done)
    code, said = evaluate(failed.spec_id)
    assert (code, f"row {failed.spec_id} is not a finished classifier" in said) == (2, True)


def test_a_map_is_checked_though_it_was_tested_before(bench, evaluate):
    config = next(bench.results.rows()).config_id
    assert evaluate(config)[0] == 0
    first, second = bench.prepared.task.findings[:2]
    code, said = evaluate(config, "--map", f"{first}=zzz")
    assert (code, "unknown finding" in said, "'zzz'" in said) == (2, True, True), said
    code, said = evaluate(config, "--map", f"{first}={second}")
    assert (code, said.count("tested there before for other findings")) == (0, 2), said


def test_the_id_of_an_evaluation_says_where_it_is_shown(bench, evaluate):
    config = next(bench.results.rows()).config_id
    evaluate(config)
    row = next(bench.results.cross.rows())
    folder = ["--results", str(bench.results.folder)]
    for said in (row.spec_id, row.config_id, row.spec_id[:8].upper()):
        for command in (["show", said], ["compare", config, said]):
            told = CliRunner().invoke(main, [*command, *folder])
            assert told.exit_code == 2
            assert "network tested on another data set" in told.output
            assert f"cxr-bench leaderboard --results '{bench.results.folder}'" in told.output
