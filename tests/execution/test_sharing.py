"""Machines with accelerators that are not here: from the devices to plan, check-up, and a run."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace

import pytest
from click.testing import CliRunner

from benchmark.cli import main
from benchmark.data.discovery import find_dataset
from benchmark.data.prepare import prepare
from benchmark.errors import UserError
from benchmark.machine.devices import Device
from benchmark.machine.environment import Environment
from benchmark.planning.resolve import make_plan
from benchmark.records.store import Results
from benchmark.scheduling.checkup import GOOD, Check
from benchmark.scheduling.executors import local
from benchmark.scheduling.sharing import shares
from tests.execution.conftest import ENVIRONMENT, make_suite
from tests.machine.fakes import FRAMEWORKS

NOT_DONE = Check("Self-test", GOOD, "not done")
OLD, NEW = Device("Tesla V100", False), Device("NVIDIA A100", True)
GPU = Environment("jax", "gpu", 8)
WORKER = """
import json, os, sys, time
from pathlib import Path
setup = json.loads(sys.stdin.readline())
for line in sys.stdin:
    names = ("CUDA_VISIBLE_DEVICES", "KERAS_BACKEND", "TF_FORCE_GPU_ALLOW_GROWTH", "XLA_FLAGS")
    told = {name: os.environ.get(name) for name in names}
    told |= {"sharing": setup["sharing"], "environment": setup["environment"]}
    path = Path(setup["results"]) / "told" / f"{os.environ['CUDA_VISIBLE_DEVICES']}-{os.getpid()}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(told))
    done = {"event": "done", "seconds": 1, "headline": ["test AUC", 0.5], "profile": {}}
    time.sleep(0.5)
    print(json.dumps(done), flush=True)
"""


def test_a_slot_a_gpu():
    parts = shares(GPU, [OLD, NEW])
    assert [(part.visible, part.devices, part.sharing) for part in parts] == [
        ("0", (OLD,), 1),
        ("1", (NEW,), 1),
    ]
    assert {part.environment.threads for part in parts} == {4}


def test_several_slots_share_a_gpu_and_know_it():
    parts = shares(GPU, [OLD, NEW], jobs_per_gpu=2)
    assert [(part.visible, part.sharing) for part in parts] == [
        ("0", 2),
        ("1", 2),
        ("0", 2),
        ("1", 2),
    ]
    assert [part.sharing for part in shares(GPU, [OLD, NEW], 3, 2)] == [2, 1, 2]


def test_fewer_slots_than_gpus_leave_some_alone():
    assert [part.visible for part in shares(GPU, [OLD, NEW], jobs=1)] == ["0"]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ((GPU, [OLD], 2), "--jobs-per-gpu"),
        ((ENVIRONMENT, [], 1, 2), "is for GPUs"),
        ((Environment("jax", "gpu", 8, devices=4), [OLD, NEW]), "finds only 2"),
    ],
)
def test_what_cannot_be_shared_out_is_told(given, told):
    with pytest.raises(UserError, match=told):
        shares(*given)


def test_on_a_cpu_gpus_are_hidden_and_there_is_one_slot():
    (part,) = shares(ENVIRONMENT)
    assert part.variables["CUDA_VISIBLE_DEVICES"] == "-1"
    assert (part.cores, part.devices, part.sharing) == (None, (), 1)


def test_what_makes_jax_deterministic_is_added_to_what_a_person_asks_of_it(monkeypatch):
    monkeypatch.setenv("XLA_FLAGS", "--xla_dump_to=x")
    (part,) = shares(GPU, [NEW])
    assert part.variables["XLA_FLAGS"] == "--xla_dump_to=x --xla_gpu_deterministic_ops=true"
    (part,) = shares(Environment("torch", "gpu", 1), [NEW])
    assert part.variables["XLA_FLAGS"] == "--xla_dump_to=x"


def test_bfloat16_is_refused_where_an_accelerator_lacks_it(bench):
    suite = make_suite(["linear", "constant"], recipe={"precision": "mixed_bfloat16"})

    def refusals(*devices):
        plan = make_plan([suite], replace(bench.inputs(), devices=devices))
        return {planned.spec.model: planned.refusal for planned in plan.specs}

    assert refusals() == refusals(NEW) == {"linear": None, "constant": None}
    told = refusals(OLD, NEW)
    assert told["constant"] is None
    assert told["linear"].startswith("Tesla V100 cannot compute with bfloat16. Ask for another")


@pytest.fixture(params=FRAMEWORKS)
def backend(request, tmp_path, monkeypatch):
    """A backend that finds three GPUs wherever it is asked."""
    fakes = tmp_path / "fakes"
    fakes.mkdir()
    (fakes / f"{request.param}.py").write_text(FRAMEWORKS[request.param])
    monkeypatch.setenv("PYTHONPATH", str(fakes))
    monkeypatch.setenv("KERAS_BACKEND", request.param)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    return request.param


def test_a_run_has_a_worker_a_gpu(backend, phantom, tmp_path, monkeypatch):
    monkeypatch.setattr(local, "COMMAND", [sys.executable, "-c", WORKER])
    _, data_dir, cache_dir = phantom
    folders = ["--results", tmp_path, "--data-dir", data_dir, "--cache-dir", cache_dir]
    command = ["run", "--suite", "phantom", "--dataset", "thorax_phantom/small", "--device", "gpu"]
    command += ["--filter", "model=cnn|mlp|linear,seed=0|1", *map(str, folders)]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 0, result.output
    told = [json.loads(path.read_text()) for path in (tmp_path / "told").iterdir()]
    assert sorted(each["CUDA_VISIBLE_DEVICES"] for each in told) == ["0", "1", "2"]
    assert {each["KERAS_BACKEND"] for each in told} == {backend}
    assert {each["TF_FORCE_GPU_ALLOW_GROWTH"] for each in told} == {"true"}
    assert {each["environment"]["device"] for each in told} == {"gpu"}
    deterministic = [("xla_gpu_deterministic_ops" in (each["XLA_FLAGS"] or "")) for each in told]
    assert deterministic == [backend == "jax"] * 3


def test_what_the_devices_cannot_compute_is_not_planned(backend, phantom, tmp_path):
    _, data_dir, cache_dir = phantom
    folders = ["--results", tmp_path, "--data-dir", data_dir, "--cache-dir", cache_dir]
    command = ["run", "--suite", "phantom", "--dataset", "thorax_phantom/small", "--device", "gpu"]
    command += ["--filter", "model=linear,seed=0", "--precision", "mixed_bfloat16"]
    result = CliRunner().invoke(main, [*command, *map(str, folders)])
    assert result.exit_code == 0, result.output
    (row,) = Results(tmp_path).rows()
    assert row.status == "not_runnable"
    assert row.error.reason.startswith("Old cannot compute with bfloat16")


def test_the_check_up_names_the_devices(backend, tmp_path, monkeypatch):
    monkeypatch.setattr("benchmark.scheduling.checkup.self_test", lambda *given: NOT_DONE)
    folders = ["--results", tmp_path, "--data-dir", tmp_path, "--cache-dir", tmp_path]
    told = CliRunner().invoke(main, ["doctor", "--device", "gpu", *map(str, folders)]).output
    assert f"{backend} finds 2 x Old, 1 x New; no bfloat16 on Old" in told


def test_a_dry_run_asks_no_device(monkeypatch, phantom, tmp_path):
    monkeypatch.setattr("benchmark.machine.environment.found_by", None)
    command = ["run", "--suite", "phantom", "--dry-run", "--device", "gpu"]
    result = CliRunner().invoke(
        main, [*command, "--results", str(tmp_path), "--data-dir", str(phantom[1])]
    )
    assert result.exit_code == 0


def test_the_process_that_prepares_sees_no_gpu(tmp_path, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    seen = []

    def build(*given):
        seen.append(os.environ["CUDA_VISIBLE_DEVICES"])
        raise UserError("enough")

    monkeypatch.setattr("benchmark.data.prepare.build", build)
    with pytest.raises(UserError, match="enough"):
        prepare(find_dataset("thorax_phantom/small"), tmp_path, None)
    assert seen == ["-1"]
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "0"
