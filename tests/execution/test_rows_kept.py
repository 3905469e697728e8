"""A failure never takes the place of a finished row, and nothing is replaced unasked."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from msgspec import structs

from benchmark.errors import UserError
from benchmark.kinds import running
from benchmark.kinds.code import code_of
from benchmark.records.predictions import link, read_predictions
from benchmark.records.row import Made
from benchmark.records.run_facts import Failure
from benchmark.scoring.publishing import check, publish
from benchmark.suites.ensembles import Ensemble
from benchmark.training.starting_weights import check_saved_weights
from tests.execution.conftest import CARD, LINEAR, Bench, make_suite, write_row

FAILS_LATER = f"""{CARD}
def build(input_shape, task, weights):
    if os.environ.get("TEST_FAILS"):
        raise KeyError("oops")
{LINEAR}"""


def files(bench):
    """Every file of a row, with its bytes and when it was written."""
    folders = (bench.results.folder / name for name in ("rows", "predictions", "scores", "weights"))
    paths = sorted(path for folder in folders for path in folder.glob("*"))
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in paths}


def test_a_rerun_that_fails_keeps_the_finished_row_and_its_predictions(
    phantom, tmp_path, monkeypatch
):
    (tmp_path / "moody.py").write_text(FAILS_LATER)
    bench = Bench(phantom, tmp_path / "results", [tmp_path])
    suite = make_suite(["moody"], recipe={"epochs": 1})
    assert bench.run(bench.plan(suite)) == {"done": 1}
    before = files(bench)
    monkeypatch.setenv("TEST_FAILS", "1")
    assert bench.run(bench.plan(suite, rerun="all")) == {"failed": 1}
    assert files(bench) == before
    assert bench.plan(suite).specs[0].status == "done"
    monkeypatch.delenv("TEST_FAILS")
    assert bench.run(bench.plan(suite, rerun="all")) == {"done": 1}
    after = files(bench)
    assert after.keys() == before.keys()
    assert all(after[name][1] > before[name][1] for name in after), "this time it was replaced"
    same = [name for name in after if after[name][0] == before[name][0]]
    assert {name.partition(".")[2] for name in same} >= {"csv.gz"}, "with the same predictions"


def test_a_rerun_that_fails_after_its_training_keeps_the_weights_too(bench, monkeypatch):
    suite = make_suite(["linear"], recipe={"epochs": 1})
    assert bench.run(bench.plan(suite)) == {"done": 1}
    before, made = files(bench), running.make_predictions
    (row,) = bench.results.rows()
    assert f"{row.spec_id}.weights.h5" in before

    def not_finite(*given):
        content = made(*given)
        return dataclasses.replace(content, logits=np.full_like(content.logits, np.nan))

    with monkeypatch.context() as patch:
        patch.setattr("benchmark.training.VERSION", 99)
        patch.setattr(running, "make_predictions", not_finite)
        assert bench.run(bench.plan(suite, rerun="stale")) == {"failed": 1}
    assert files(bench) == before
    check_saved_weights(row, bench.results.weights_path(row.spec_id))
    with monkeypatch.context() as patch:
        patch.setattr("benchmark.training.VERSION", 99)
        assert bench.run(bench.plan(suite, rerun="stale")) == {"done": 1}
    after = files(bench)
    assert after.keys() == before.keys()
    assert all(after[name][1] > before[name][1] for name in after), "this time they were replaced"


def test_a_failure_of_the_stale_rerun_leaves_the_stale_row(bench):
    suite = make_suite(["linear"])
    (planned,) = bench.plan(suite).specs
    old = code_of(planned.spec, planned.model_file) | {"training": "0"}
    row = write_row(bench.results, planned, code=old)
    failure = Failure(reason="it fell")
    bench.results.write_row(
        structs.replace(row, status="failed", error=failure, predictions_sha256=None)
    )
    assert bench.results.read_row(row.spec_id) == row
    assert bench.plan(suite).specs[0].status == "stale"


def test_a_vote_is_made_again_once_a_member_says_something_else(bench):
    vote = Ensemble("vote", "soft_vote", ("constant", "metadata_only"))
    suite = dataclasses.replace(make_suite(["constant", "metadata_only"]), ensembles=(vote,))
    assert bench.run(bench.plan(suite)) == {"done": 3}
    member = bench.rows()["metadata_only"]
    assert bench.rows()["vote"].made_from["member:metadata_only"] == Made(
        spec_id=member.spec_id, predictions_sha256=member.predictions_sha256
    )
    again = bench.plan(suite, wanted={"model": {"metadata_only"}}, rerun="all")
    assert bench.run(again) == {"done": 1}
    assert bench.plan(suite).summary() == {"done": 3}, "it said the same as before"
    path = bench.results.predictions_path(member.spec_id)
    said = read_predictions(path, "multilabel")
    logits = -said.logits
    other = dataclasses.replace(said, logits=logits, probabilities=link(logits, said.kind))
    publish(bench.results, member, check(other, member.protocol), replace=True)
    assert bench.plan(suite).summary() == {"done": 2, "stale": 1}
    assert bench.run(bench.plan(suite, rerun="stale")) == {"done": 1}
    assert bench.plan(suite).summary() == {"done": 3}


def test_a_damaged_row_is_made_again_and_a_failure_does_not_take_its_place(bench, caplog):
    suite = make_suite(["constant"])
    assert bench.run(bench.plan(suite)) == {"done": 1}
    (row,) = bench.results.rows()
    path, before = bench.results.row_path(row.spec_id), files(bench)
    path.write_bytes(path.read_bytes()[:-20])
    failed = structs.replace(row, status="failed", error=Failure(reason="it fell"))
    bench.results.write_row(structs.replace(failed, predictions_sha256=None))
    assert not list(bench.results.rows())
    assert str(path) in caplog.text
    assert bench.plan(suite).specs[0].status == "missing"
    assert bench.run(bench.plan(suite)) == {"done": 1}
    after = files(bench)
    assert {n: after[n][0] for n in after if "json" not in n} == {
        n: before[n][0] for n in before if "json" not in n
    }
    assert [each.spec_id for each in bench.results.rows()] == [row.spec_id]


def test_a_row_of_another_format_stops_the_run_and_stays(bench):
    suite = make_suite(["constant"])
    assert bench.run(bench.plan(suite)) == {"done": 1}
    (row,) = bench.results.rows()
    path = bench.results.row_path(row.spec_id)
    path.write_bytes(b'{"schema": 3, "of_the_future": true}')
    with pytest.raises(UserError, match=f"{path}: written by another version"):
        bench.plan(suite)
    assert not list(bench.results.rows())
