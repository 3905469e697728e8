"""A full disk, a folder that cannot be written to, a damaged row, a clock that goes backwards."""

from __future__ import annotations

import errno
import io
import itertools
import os
import re
import time

import numpy as np
import pytest

from benchmark.console import Console
from benchmark.data.views import open_view
from benchmark.errors import UserError
from benchmark.records.disk import is_disk_full
from benchmark.records.files import write_atomic
from benchmark.training.checkpoint import Checkpoint, State, Timed
from tests.execution.conftest import CARD, LINEAR, Bench, make_suite
from tests.execution.processes import gone

FILLS_DISK = f"""{CARD}
def build(input_shape, task, weights):
    import errno
    def full(handle):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    os.fsync = full  # as the disk is from now on
{LINEAR}"""
RUNS_WILD = f"""{CARD}
def build(input_shape, task, weights):
    import subprocess, sys, time
    os.write(1, b"x" * 3_000_000)  # where a worker tells its events
    print("y" * 1_000_000)
    child = os.fork()
    if child == 0:
        time.sleep(600)
        os._exit(0)
    grandchild = subprocess.Popen(["sleep", "600"], start_new_session=False)
    print(f"\\nchildren {{child}} {{grandchild.pid}}", flush=True)
{LINEAR}"""
FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def fail(*_, **__):
    raise FULL


def test_a_full_disk_stops_the_run_and_leaves_nothing_half_written(phantom, tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", os.fsync)  # to be put back
    (tmp_path / "fills_disk.py").write_text(FILLS_DISK)
    bench = Bench(phantom, tmp_path / "results", [tmp_path])
    suite = make_suite(["fills_disk", "mlp"], recipe={"epochs": 1})
    bench_views(bench)
    with pytest.raises(UserError, match=r"No space left on device.*Run again: it goes on"):
        bench.run(bench.plan(suite))
    assert bench.rows() == {}
    written = [p.name for p in bench.results.folder.rglob("*") if p.is_file() and "tmp" in p.name]
    assert written == []
    assert len(bench.plan(suite).to_run()) == 2, "the next run goes on where this one stopped"


def bench_views(bench):
    """Views that are there, so that writing the results is the first thing that fails."""
    for split in ("train", "validation", "test"):
        open_view(bench.prepared, split, 16, "raw", bench.cache_dir)


def test_a_row_that_cannot_be_written_stops_the_run_with_the_reason(bench, monkeypatch):
    monkeypatch.setattr(bench.results.__class__, "write_row", fail)
    with pytest.raises(UserError, match=r"results: No space left on device.*Run again"):
        bench.run(bench.plan(make_suite(["resnet50"], size=16)))


def test_a_training_goes_on_without_the_checkpoint_it_cannot_write(tmp_path, monkeypatch, caplog):
    import keras

    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    checkpoint = Checkpoint(tmp_path / "c.npz", "code")
    state = State({"loss": [1.0]}, model.get_weights(), Timed())
    with monkeypatch.context() as patch:
        patch.setattr("benchmark.training.checkpoint.SHARE_OF_TIME", np.inf)
        patch.setattr(np, "savez", fail)
        checkpoint.save(model, state)
    assert "the training goes on" in caplog.text
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr("benchmark.training.checkpoint.SHARE_OF_TIME", np.inf)  # any epoch will do
    checkpoint.save(model, state)
    assert checkpoint.load(model).history == {"loss": [1.0]}


def test_a_view_that_does_not_fit_says_how_large_it_is_and_leaves_nothing(
    phantom, tmp_path, monkeypatch
):
    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(UserError, match=r"No space left on device.*takes \d+ MB") as caught:
        open_view(phantom[0], "test", 20, "raw", tmp_path)
    assert is_disk_full(caught.value)
    assert list((tmp_path / "views").iterdir()) == []


def test_an_atomic_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "row.json"
    write_atomic(path, b"old")
    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space left"):
        write_atomic(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("error", "full"),
    [
        (FULL, True),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), True),
        (OSError("Can't write data (errno = 28, error message = 'No space left on device')"), True),
        (PermissionError(errno.EACCES, "Permission denied"), False),
        (ValueError("no"), False),
    ],
)
def test_a_full_disk_is_told_from_other_errors(error, full):
    assert is_disk_full(error) is full
    wrapped = UserError("cannot write")
    wrapped.__cause__ = error
    assert is_disk_full(wrapped) is full


def test_a_results_folder_that_cannot_be_written_is_told_before_anything_is_run(phantom, tmp_path):
    (tmp_path / "file").write_text("")
    bench = Bench(phantom, tmp_path / "file" / "results")
    with pytest.raises(UserError, match=r"cannot write to the results folder .*--results DIR"):
        bench.run(bench.plan(make_suite(["linear"])))


def test_a_cache_that_cannot_be_written_is_a_failure_with_its_reason(phantom, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"cannot write the view cache .*Not a directory"):
        open_view(phantom[0], "test", 20, "raw", tmp_path / "file")


def test_a_damaged_row_is_named_with_what_to_do_and_running_again_mends_it(bench, caplog):
    suite = make_suite(["constant"])
    bench.run(bench.plan(suite))
    path = bench.results.row_path(bench.rows()["constant"].spec_id)
    path.write_bytes(path.read_bytes()[:100])
    plan = bench.plan(suite)
    assert f"{path.name}: was changed after it was written. Remove it and run its" in caplog.text
    assert bench.run(plan) == {"done": 1}
    assert bench.rows().keys() == {"constant"}


def test_what_a_worker_warns_of_is_said_where_people_look(phantom, tmp_path):
    bench = Bench((*phantom[:2], tmp_path / "cache"), tmp_path / "results")
    bench_views(bench)
    for images in (tmp_path / "cache").rglob("images.npy"):
        data = bytearray(images.read_bytes())
        data[-1] ^= 1
        images.write_bytes(data)
    plan, shown = bench.plan(make_suite(["linear"], recipe={"epochs": 1})), io.StringIO()
    assert bench.run(plan, Console(plan, out=shown), isolated=True) == {"done": 1}
    said = shown.getvalue().splitlines()
    assert sum("is damaged (images.npy has changed): building it again" in s for s in said) == 3
    (log,) = (bench.results.folder / "logs").iterdir()
    assert "is damaged" in log.read_text()


def test_what_a_model_prints_and_starts_does_not_disturb_the_run_nor_outlive_it(phantom, tmp_path):
    (tmp_path / "runs_wild.py").write_text(RUNS_WILD)
    bench = Bench(phantom, tmp_path / "results", [tmp_path])
    plan = bench.plan(make_suite(["runs_wild"], seeds=(0, 1), recipe={"epochs": 1}))
    begun = time.monotonic()
    assert bench.run(plan, isolated=True) == {"done": 2}
    assert time.monotonic() - begun < 300
    (log,) = (bench.results.folder / "logs").iterdir()
    children = re.findall(rb"children (\d+) (\d+)", log.read_bytes())
    assert len(children) == 2, "of each seed, in one worker"
    assert all(gone(int(pid)) for each in children for pid in each)


def test_a_clock_that_goes_backwards_does_no_harm(bench, monkeypatch):
    backwards = itertools.count(time.time(), -3600)
    monkeypatch.setattr(time, "time", lambda: next(backwards))
    plan, shown = bench.plan(make_suite(["constant"])), io.StringIO()
    assert bench.run(plan, Console(plan, out=shown)) == {"done": 1}
    assert "done in" in shown.getvalue()
    assert "-" not in shown.getvalue().partition("done in")[2]


def test_what_a_killed_run_left_is_removed_once_it_is_old(bench):
    bench.run(bench.plan(make_suite(["constant"])))
    old, new = (bench.results.folder / "rows" / f".{name}.json.x.tmp" for name in ("old", "new"))
    for path in (old, new):
        path.write_bytes(b"half")
    os.utime(old, (0, 0))
    bench.run(bench.plan(make_suite(["constant"]), rerun="all"))
    assert not old.exists()
    assert new.exists(), "another run may be writing it"
