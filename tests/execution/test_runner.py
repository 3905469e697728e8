"""Which spec gets which slot, and what becomes of it, on scripted slots."""

from __future__ import annotations

import dataclasses
import threading
import time

import pytest

from benchmark.console import Console
from benchmark.errors import UserError
from benchmark.planning.cost import nominal_price
from benchmark.planning.fallback import FEWEST
from benchmark.scheduling.claims import Claims
from benchmark.scheduling.runner import MOST_LOST
from benchmark.suites.ensembles import Ensemble
from tests.execution.conftest import make_suite, write_row
from tests.execution.scripted import DONE, LOST, SHORT, ScriptedExecutor
from tests.terminal import Terminal

FAILED = {"event": "failed", "status": "failed", "reason": "it fell", "detail": ""}
ALL_TOGETHER = 10.0
"""Seconds after which slots that should run side by side are taken not to."""


@pytest.fixture(autouse=True)
def quick_looks(monkeypatch):
    monkeypatch.setattr("benchmark.scheduling.runner.WAIT_SECONDS", 0.01)


def ids(plan):
    return [planned.spec.spec_id for planned in plan.to_run()]


def test_one_slot_keeps_the_order_of_the_plan(bench):
    plan = bench.plan(make_suite(["cnn", "linear", "mlp"], seeds=(0, 1)))
    one = ScriptedExecutor(1)
    assert bench.run(plan, executor=one) == {"done": 6}
    assert one.order("begin") == ids(plan)


def test_nothing_is_run_where_rows_would_be_written_through_a_link(bench, tmp_path):
    plan, one = bench.plan(make_suite(["cnn"])), ScriptedExecutor(1)
    bench.results.folder.mkdir(exist_ok=True)
    (bench.results.folder / "predictions").symlink_to(tmp_path)
    with pytest.raises(UserError, match="predictions leads to another folder"):
        bench.run(plan, executor=one)
    assert one.order("begin") == []


def test_several_slots_begin_with_the_dearest_and_run_side_by_side(bench):
    plan = bench.plan(make_suite(["constant", "linear", "cnn"], seeds=(0, 1)))
    barrier = threading.Barrier(2)

    def together(number, job):
        if job.spec.model == "cnn":
            barrier.wait(ALL_TOGETHER)
        return DONE

    begun = []

    def note(planned, event):
        if event["event"] == "start":
            begun.append(nominal_price(planned))

    ended = bench.run(plan, note, executor=ScriptedExecutor(2, together))
    assert ended == {"done": len(begun)} == {"done": len(plan.to_run())}
    assert begun == sorted(begun, reverse=True)


def test_what_a_spec_is_made_from_ends_before_it_begins(bench):
    vote = Ensemble("vote", "soft_vote", ("linear", "mlp"))
    plan = bench.plan(dataclasses.replace(make_suite(["linear", "mlp"]), ensembles=(vote,)))
    (vote,) = (p.spec.spec_id for p in plan.specs if p.spec.ensemble)
    members = [spec_id for spec_id in ids(plan) if spec_id != vote]

    def slow(number, job):
        time.sleep(0.05 if job.spec.spec_id in members else 0)
        return DONE

    three = ScriptedExecutor(3, slow)
    bench.run(plan, executor=three)
    assert three.log.index(("begin", vote)) > max(three.log.index(("end", m)) for m in members)


def test_a_lost_spec_is_run_again_first_on_whatever_slot_is_free(bench):
    plan = bench.plan(make_suite(["linear", "mlp"]))
    first = ids(plan)[0]
    executor = ScriptedExecutor(1)
    executor._ending = lambda n, job: LOST if executor.tries[job.spec.spec_id] < 2 else DONE
    assert bench.run(plan, executor=executor) == {"done": 2}
    assert executor.order("begin")[:2] == [first, first]


def test_a_spec_that_is_always_lost_fails_with_the_reason_and_the_others_are_done(bench):
    plan = bench.plan(make_suite(["linear", "mlp"]))
    cursed = ids(plan)[0]
    executor = ScriptedExecutor(2, lambda n, job: LOST if job.spec.spec_id == cursed else DONE)
    assert bench.run(plan, executor=executor) == {"done": 1, "failed": 1}
    assert executor.tries[cursed] == MOST_LOST + 1
    assert bench.results.read_row(cursed).error.reason == "the node went away, 4 times"


def test_a_slot_that_breaks_or_tells_no_end_has_lost_its_spec(bench):
    plan = bench.plan(make_suite(["linear"]))

    def breaks(number, job):
        raise OSError("no route to host")

    bench.run(plan, executor=ScriptedExecutor(1, breaks))
    assert "OSError: no route to host, 4 times" in bench.rows()["linear"].error.reason


def test_memory_that_was_short_beside_others_is_no_reason_for_smaller_parts(bench):
    plan = bench.plan(make_suite(["linear", "mlp", "cnn"]))
    greedy = next(p.spec.spec_id for p in plan.to_run() if p.spec.model == "mlp")
    executor = ScriptedExecutor(2)

    def ending(number, job):
        time.sleep(0.02)
        return SHORT if job.spec.spec_id == greedy and not job.alone else DONE

    executor._ending = ending
    assert bench.run(plan, executor=executor) == {"done": 3}
    last = executor.log[-2:]
    assert last == [("begin", greedy), ("end", greedy)], "alone, once the others had ended"
    assert not bench.results.row_path(greedy).exists(), "no row says that it ran out of memory"


def test_what_is_known_to_be_too_large_for_a_share_waits_for_a_slot_alone(bench):
    suite = make_suite(["linear", "mlp", "cnn"], seeds=(0, 1))
    for planned in bench.plan(suite, wanted={"seed": {"0"}}).specs:
        took = 4000 if planned.spec.model == "mlp" else 900
        write_row(bench.results, planned, peak_memory_mb=took)
    large = [p.spec.spec_id for p in bench.plan(suite).to_run() if p.spec.model == "mlp"]
    executor = ScriptedExecutor(3, lambda n, job: time.sleep(0.02) or DONE, memory_mb=2000)
    assert bench.run(bench.plan(suite), executor=executor) == {"done": 3}
    assert [executor.beside(spec_id) for spec_id in large] == [0]


def test_memory_that_is_short_without_others_gives_smaller_parts(bench):
    plan = bench.plan(make_suite(["linear", "mlp"], recipe={"batch_size": 16}))
    executor = ScriptedExecutor(
        2, lambda n, job: SHORT if job.spec.model == "mlp" and job.spec.micro_batch > 8 else DONE
    )
    assert bench.run(plan, executor=executor) == {"done": 2}
    tried = next(p.spec.spec_id for p in plan.to_run() if p.spec.model == "mlp")
    assert executor.tries[tried] == 2, "beside others, then alone"
    assert "tried again with 8 images" in bench.results.read_row(tried).error.reason


def test_memory_that_never_suffices_is_a_failure_in_the_end(bench):
    plan = bench.plan(make_suite(["mlp", "linear"], recipe={"batch_size": 16}))
    executor = ScriptedExecutor(1, lambda n, job: SHORT if job.spec.model == "mlp" else DONE)
    assert bench.run(plan, executor=executor) == {"failed": 1, "done": 1}
    parts = [row.spec.micro_batch for row in bench.results.rows() if row.spec.model == "mlp"]
    assert sorted(parts) == [FEWEST, 8, 16]


def test_a_failure_stops_nothing_unless_that_was_asked_for(bench):
    plan = bench.plan(make_suite(["constant", "linear", "mlp"]))
    first = ids(plan)[0]
    fails = ScriptedExecutor(1, lambda n, job: FAILED if job.spec.spec_id == first else DONE)
    assert bench.run(plan, executor=fails, exit_on_error=True) == {"failed": 1}
    again = bench.plan(make_suite(["constant", "linear", "mlp"]), rerun="failed")
    assert bench.run(again, executor=fails) == {"failed": 1, "done": 2}


def test_no_more_are_begun_than_were_asked_for(bench):
    plan = bench.plan(make_suite(["linear"], seeds=(0, 1, 2, 3)))
    executor = ScriptedExecutor(3)
    assert bench.run(plan, executor=executor, most=2) == {"done": 2}
    assert len(executor.order("begin")) == 2


def test_ctrl_c_closes_the_slots_and_lets_go_of_every_claim(bench):
    plan = bench.plan(make_suite(["linear", "mlp"]))
    executor = ScriptedExecutor(2, lambda n, job: executor.made[n].closed.wait(60) and LOST)
    told = []

    def interrupt(planned, event):
        told.append(event["event"])
        if told.count("epoch") == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bench.run(plan, interrupt, executor=executor)
    assert all(slot.closed.is_set() for slot in executor.made)
    assert [p for p in (bench.results.folder / "claims").iterdir() if p.name[0] != "."] == []
    assert bench.rows() == {}


def test_what_another_run_is_at_is_left_to_it_or_waited_for(bench):
    plan = bench.plan(make_suite(["linear", "mlp"]))
    taken, free = ids(plan)
    other = Claims(bench.results.folder)
    claim = other.take(taken)
    ended = bench.run(plan, executor=ScriptedExecutor(1), wait=False)
    assert ended == {"done": 1, "busy elsewhere": 1}

    executor = ScriptedExecutor(1, lambda n, job: claim.release() or DONE)
    assert bench.run(bench.plan(make_suite(["linear", "mlp"])), executor=executor)["done"] == 2
    assert executor.order("begin") == [free, taken], "the free one first, then the one let go of"
    other.close()


def test_what_another_run_has_done_meanwhile_is_not_done_again(bench):
    plan = bench.plan(make_suite(["linear", "mlp"]))
    first, second = plan.to_run()
    executor = ScriptedExecutor(1, lambda n, job: write_row(bench.results, second) and DONE)
    assert bench.run(plan, executor=executor) == {"done": 1, "done elsewhere": 1}
    assert executor.order("begin") == [first.spec.spec_id]


def test_a_terminal_has_a_line_for_each_slot_never_wider_than_it_is(bench, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    plan = bench.plan(make_suite(["linear", "mlp"]))
    out = Terminal()
    first, second = plan.to_run()
    console = Console(plan, slots=2, out=out)
    console(first, {"event": "start", "slot": 0})
    console(second, {"event": "start", "slot": 1})
    epoch = {"event": "epoch", "slot": 1, "epoch": 1, "epochs": 9, "loss": 1.5, "val_auc": 0.5}
    console(second, epoch)
    drawn = out.getvalue().rpartition("\033[J")[2].split("\n")
    assert len(drawn) == 2
    assert "[1/2]" in drawn[0]
    assert "[2/2]" in drawn[1]
    assert max(map(len, drawn)) < 60
    console(first, {**DONE, "slot": 0})
    *ending, running = out.getvalue().rpartition("\033[J")[2].split("\n")
    assert "done in" in " ".join(ending)
    assert "[2/2]" in running
