"""A slot of this machine against processes that behave badly, in place of a worker."""

from __future__ import annotations

import json
import os
import signal
import sys
import textwrap
import threading
import time
from dataclasses import replace

import pytest
from msgspec import structs

from benchmark.scheduling.events import LONGEST, EventLines, encode
from benchmark.scheduling.executors import local
from benchmark.scheduling.executors.local import LocalExecutor, LocalSlot
from benchmark.scheduling.sharing import Share, shares, shares_of_cores
from benchmark.scheduling.slots import Folders, Job, Limits
from tests.execution.conftest import ENVIRONMENT
from tests.execution.processes import gone
from tests.records.rows import a_spec

HEAD = """
import json, os, signal, subprocess, sys, time
setup = json.loads(sys.stdin.readline())
def tell(**event):
    print(json.dumps(event), flush=True)
for line in sys.stdin:
    job = json.loads(line)
"""
DONE = {"event": "done", "seconds": 1.0}


@pytest.fixture
def slot(tmp_path, monkeypatch):
    """Makes a slot whose worker does for every job as a piece of Python says."""
    monkeypatch.setattr(local, "LOOK_SECONDS", 0.05)
    made = []

    def make(body, **limits):
        program = HEAD + textwrap.indent(textwrap.dedent(body), "    ")
        monkeypatch.setattr(local, "COMMAND", [sys.executable, "-c", program])
        made.append(LocalSlot({}, Share(ENVIRONMENT), tmp_path / "w.log", Limits(**limits)))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def job(tmp_path):
    return Job(a_spec(), "suite", False, (tmp_path / "claim", b"ours"))


def test_a_job_tells_its_spec_and_its_claim(slot, job, tmp_path):
    seen = list(slot("tell(event='seen', job=job); tell(event='done')").run(job))
    assert seen[0]["job"]["spec"] == job.spec.as_dict()
    assert seen[0]["job"]["claim"] == [str(tmp_path / "claim"), "ours"]
    assert seen[-1]["event"] == "done"


def test_what_a_worker_prints_goes_to_no_file_behind_a_link(slot, job, tmp_path):
    other = tmp_path / "other"
    other.write_text("theirs")
    (tmp_path / "w.log").symlink_to(other)
    list(slot("print('noise'); tell(event='done')").run(job))
    assert other.read_text() == "theirs"
    assert "noise" in (tmp_path / "w.log").read_text()


def test_one_process_runs_job_after_job(slot, job):
    one = slot("tell(event='done', pid=os.getpid())")
    assert len({event["pid"] for _ in range(3) for event in one.run(job)}) == 1


def test_a_process_that_ran_somebodys_own_model_file_runs_no_other_model(slot, job):
    one = slot("tell(event='done', pid=os.getpid())")
    models = ["", "", "mine", "mine", "yours", "", ""]
    pids = [next(iter(one.run(replace(job, own_model=m))))["pid"] for m in models]
    assert pids[0] == pids[1] == pids[2], "what is of this package changes nothing"
    assert pids[2] == pids[3]
    assert len({pids[3], pids[4], pids[5]}) == 3
    assert pids[5] == pids[6]


def test_a_process_that_keeps_too_much_memory_is_replaced(slot, job):
    one = slot("tell(event='done', pid=os.getpid(), resident_mb=job['spec']['seed'])")
    little, much = (replace(job, spec=structs.replace(job.spec, seed=n)) for n in (300, 30_000))
    pids = [next(iter(one.run(each)))["pid"] for each in (little, much, little)]
    assert pids[0] == pids[1] != pids[2]


def test_what_is_no_event_is_a_line_of_the_log(slot, job, tmp_path):
    body = """
    print("Loading weights ...")
    print("[1, 2]")
    sys.stdout.buffer.write(b"\\xff\\x00 not text\\n")
    print("half a line, then", end="")
    print("\\n" + json.dumps({"event": "done"}), flush=True)
    """
    assert [event["event"] for event in slot(body).run(job)] == ["done"]
    log = (tmp_path / "w.log").read_bytes()
    for line in (b"Loading weights ...\n", b"[1, 2]\n", b"\xff\x00 not text\n", b"then\n"):
        assert line in log


def test_a_worker_that_dies_is_noticed_at_once_though_its_child_holds_the_pipe(slot, job):
    body = """
    child = subprocess.Popen(["sleep", "600"])
    tell(event="child", pid=child.pid)
    os._exit(3)
    """
    begun = time.monotonic()
    child, end = slot(body, silent_seconds=300).run(job)
    assert time.monotonic() - begun < 60
    assert (end["event"], end["reason"]) == (
        "failed",
        "the worker ended without a result (exit code 3)",
    )
    assert gone(child["pid"]), "what a worker has started ends with it"


@pytest.mark.parametrize("name", ["SIGKILL", "SIGTERM", "SIGHUP"])
def test_a_worker_that_somebody_ends_has_lost_its_spec(slot, job, name, monkeypatch):
    monkeypatch.setattr(local, "oom_kills", lambda: 0)
    (end,) = slot(f"os.kill(os.getpid(), signal.{name})").run(job)
    assert end["event"] == "lost"


def test_a_worker_that_the_system_killed_for_memory_has_failed(slot, job, monkeypatch):
    counts = iter([0, 1])
    monkeypatch.setattr(local, "oom_kills", lambda: next(counts))
    (end,) = slot("os.kill(os.getpid(), signal.SIGKILL)").run(job)
    assert (end["event"], end["out_of_memory"]) == ("failed", True)


def test_a_worker_that_crashes_has_failed(slot, job):
    (end,) = slot("os.kill(os.getpid(), signal.SIGABRT)").run(job)
    assert (end["event"], end["reason"]) == ("failed", "the worker crashed (SIGABRT)")


def test_a_worker_that_is_silent_for_too_long_is_ended(slot, job):
    *_, end = slot("tell(event='view'); time.sleep(600)", silent_seconds=0.5).run(job)
    assert (end["event"], end["reason"]) == (
        "failed",
        "no progress for 0.5 s: the worker was ended",
    )


def test_a_worker_that_babbles_is_silent_all_the_same(slot, job):
    body = """
    while True:
        print("still here", flush=True)
        time.sleep(0.02)
    """
    *_, end = slot(body, silent_seconds=0.5).run(job)
    assert "no progress" in end["reason"]


def test_a_worker_that_floods_its_log_does_not_fill_the_disk(slot, job, tmp_path, monkeypatch):
    monkeypatch.setattr(local, "LARGEST_LOG", 100_000)
    body = """
    for _ in range(200):
        sys.stderr.write("x" * 9999 + "\\n")
        sys.stderr.flush()
        time.sleep(0.005)
        tell(event="batches")
    tell(event="done")
    """
    *_, end = slot(body).run(job)
    assert end["event"] == "done"
    log = (tmp_path / "w.log").read_text()
    assert len(log) < 1_500_000
    assert "(begun anew: it held more than 100,000 bytes)" in log


def test_a_worker_that_died_between_two_jobs_is_replaced(slot, job):
    one = slot("tell(event='done', pid=os.getpid())")
    (first,) = one.run(job)
    os.kill(first["pid"], signal.SIGKILL)
    assert gone(first["pid"])
    (second,) = one.run(job)
    assert second["event"] == "done"


def test_closing_from_another_thread_ends_what_runs_and_nothing_is_begun_after_it(slot, job):
    one = slot("tell(event='begun', pid=os.getpid()); time.sleep(600)")
    events = one.run(job)
    pid = next(events)["pid"]
    threading.Thread(target=one.close).start()
    assert [event["event"] for event in events] == ["lost"]
    assert gone(pid)
    assert [event["event"] for event in one.run(job)] == ["lost"]


def test_alone_a_spec_may_take_the_memory_of_all(tmp_path, slot, job, monkeypatch):
    monkeypatch.setattr(local, "own_memory_mb", lambda pid: 700)
    body = "tell(event='begun'); time.sleep(0.5); tell(event='done')"
    slot(body)  # sets the command
    half = Share(ENVIRONMENT, parts=2)
    shared = LocalSlot({}, half, tmp_path / "l", Limits(memory_mb=1000))
    assert shared.facts().memory_mb == 500
    *_, beside = shared.run(job)
    assert "the limit is 500 MB" in beside["reason"]
    assert beside["out_of_memory"], "so it is tried again in smaller parts"
    alone = Job(job.spec, job.suite, job.replace, job.claim, alone=True)
    assert [event["event"] for event in shared.run(alone)] == ["begun", "done"]
    shared.close()


def test_slots_share_cores_and_have_logs_of_their_own(tmp_path):
    folders = Folders(tmp_path, tmp_path, tmp_path)
    slots = LocalExecutor(folders, Limits(), shares(ENVIRONMENT, jobs=3)).slots()
    assert [each.facts().environment.threads for each in slots] == [1, 1, 1]
    assert len({each._log for each in slots}) == 3


@pytest.mark.parametrize(
    ("cores", "threads", "jobs", "shares"),
    [
        ({0, 1, 2, 3}, 4, 2, [[0, 1], [2, 3]]),
        ({4, 6, 9}, 3, 2, [[4], [6]]),
        ({3, 5}, 2, 3, [[3], [5], [3]]),
        ({3, 5}, 1, 2, [[3], [3]]),
        ({3, 5}, 2, 1, [None]),
    ],
)
def test_cores_are_shared_out(monkeypatch, cores, threads, jobs, shares):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: cores)
    assert shares_of_cores(threads, jobs) == shares


def test_where_cores_cannot_be_given_every_worker_has_all(monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity")
    assert shares_of_cores(8, 2) == [None, None]


def test_events_come_whole_however_the_pipe_cuts_them():
    sent = "".join(encode({"event": "epoch", "n": n}) for n in range(20)).encode()
    lines, got = EventLines(), []
    for at in range(0, len(sent), 7):
        got += lines.feed(sent[at : at + 7])
    assert [event["n"] for event in got] == list(range(20))


def test_a_line_without_an_end_does_not_fill_the_memory():
    lines = EventLines()
    assert [len(line) for line in lines.feed(b"x" * (LONGEST + 1))] == [LONGEST + 1]
    assert list(lines.feed(encode(DONE).encode())) == [json.loads(json.dumps(DONE))]
