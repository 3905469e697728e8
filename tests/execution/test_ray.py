"""Specs on a Ray cluster: as on one machine, also when a node goes down in the middle."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib.util
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from benchmark.cli import main
from benchmark.errors import UserError
from benchmark.records.store import Results
from benchmark.scheduling.carrying import files_of, needed_by, put
from benchmark.scheduling.executors import Asked, names
from benchmark.scheduling.executors._ray_actor import SlotActor
from benchmark.scheduling.executors.ray import RayExecutor, demands
from benchmark.scheduling.slots import Folders, SlotFacts
from benchmark.scoring.stored import stored_headline
from benchmark.suites.ensembles import Ensemble
from tests.execution.conftest import ENVIRONMENT, hashes, make_suite
from tests.execution.scripted import DONE

SPECS = "model=linear|mlp|constant,seed=0|1|2"
NODES = [
    {"Alive": True, "NodeID": "a", "Resources": {"CPU": 8.0, "GPU": 2.0}},
    {"Alive": True, "NodeID": "b", "Resources": {"CPU": 4.0}},
    {"Alive": False, "NodeID": "c", "Resources": {"CPU": 64.0}},
    {"Alive": True, "NodeID": "login", "Resources": {}},
]
FOLDERS = Folders(Path(), Path(), Path())


def asked(nodes, device, **options):
    found = demands(nodes, Asked(FOLDERS, **options), device)
    return [(each.node, each.cpus, each.gpus, each.parts) for each in found]


def test_executors_are_found_by_their_files():
    assert names() == ["local", "ray"]


def test_on_cpus_there_is_a_slot_a_node_or_as_many_as_are_asked_for():
    assert asked(NODES, "cpu") == [("a", 8, 0.0, 1), ("b", 4, 0.0, 1)]
    assert asked(NODES, "cpu", jobs=3) == [("a", 4, 0.0, 2), ("a", 4, 0.0, 2), ("b", 4, 0.0, 1)]
    assert asked(NODES, "cpu", jobs=1) == [("a", 8, 0.0, 1)]


def test_on_gpus_there_is_a_slot_a_gpu_or_so_many_or_one_for_several():
    assert asked(NODES, "gpu") == [("a", 4, 1.0, 2)] * 2
    assert asked(NODES, "gpu", jobs_per_gpu=2) == [("a", 2, 0.5, 4)] * 4
    assert asked(NODES, "gpu", devices_per_spec=2) == [("a", 8, 2.0, 1)]
    assert asked(NODES, "gpu", jobs=1) == [("a", 4, 1.0, 2)]


def test_without_the_package_it_is_said_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "ray", None)
    command = ["run", "--suite", "phantom", "--executor", "ray", "--results", str(tmp_path)]
    told = CliRunner().invoke(main, command)
    assert told.exit_code == 2
    assert "pip install 'cxr-bench[ray]'" in told.output


def test_an_executor_that_there_is_not_is_told(tmp_path):
    command = ["run", "--suite", "phantom", "--executor", "rai", "--results", str(tmp_path)]
    assert "Did you mean 'ray'" in CliRunner().invoke(main, command).output


def test_what_a_spec_leaves_and_needs_is_carried_between_folders(bench, tmp_path):
    bench.run(plan := bench.plan(make_suite(["linear"])))
    (spec_id,) = (planned.spec.spec_id for planned in plan.specs)
    carried = files_of(bench.results, spec_id)
    assert list(carried)[-1] == f"rows/{spec_id}.json", "the row takes its name last"
    put(tmp_path / "there", carried)
    assert files_of(Results(tmp_path / "there"), spec_id) == carried
    row = bench.results.read_row(spec_id)
    assert needed_by(bench.results, row.spec) == {}


class Lost(Exception):
    """What Ray raises of an actor that is gone."""


class NoRoom(Lost):
    """What it raises of one that does not answer in time."""


class Handle:
    """An actor in this process; its methods answer at once."""

    def __init__(self, made):
        self.made = made

    def __getattr__(self, name):
        method = SimpleNamespace(remote=getattr(self.made, name))
        return SimpleNamespace(remote=method.remote, options=lambda **options: method)


class InProcess:
    """What is used of Ray, without a cluster: every actor is an object of this process.

    Args:
        rooms: how many actors find a place.
        shared: whether they see the results folder.
    """

    exceptions = SimpleNamespace(RayError=Lost, GetTimeoutError=NoRoom)
    util = SimpleNamespace(
        scheduling_strategies=SimpleNamespace(
            NodeAffinitySchedulingStrategy=lambda node, soft: node
        )
    )

    def __init__(self, rooms=99, shared=True, actor=None):
        self.rooms, self.shared, self.actor, self.killed = rooms, shared, actor, []

    def remote(self, kind):
        return SimpleNamespace(options=lambda **options: SimpleNamespace(remote=self._make(kind)))

    def _make(self, kind):
        def make(asked, place):
            self.rooms -= 1
            if not self.shared:
                place = dataclasses.replace(place, mark=place.mark.with_name("not-here"))
            return Handle((self.actor or kind)(asked, place))

        return make

    def get(self, answer, timeout=None):
        if self.rooms < 0:
            raise NoRoom
        return answer

    def kill(self, actor):
        self.killed.append(actor)
        if isinstance(actor.made, SlotActor):
            actor.made._slot.close()  # as its worker ends when its process does

    def nodes(self):
        return [{"Alive": True, "NodeID": "a", "Resources": {"CPU": 1.0}}]

    def cluster_resources(self):
        return {"CPU": 1.0}

    def shutdown(self):
        pass


def executor(bench, ray):
    folders = Folders(bench.data_dir, bench.cache_dir, bench.results.folder)
    return RayExecutor(ray, Asked(folders, jobs=1))


@pytest.mark.xdist_group("runs")
def test_results_come_back_where_the_folder_is_not_shared(bench, tmp_path, monkeypatch):
    """With an ensemble, whose members' rows go there and whose own comes back."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "node"))
    (tmp_path / "node").mkdir()
    vote = Ensemble("vote", "soft_vote", ("linear", "mlp"))
    suite = dataclasses.replace(make_suite(["linear", "mlp"]), ensembles=(vote,))
    with contextlib.closing(executor(bench, InProcess(shared=False))) as there:
        assert bench.run(bench.plan(suite), executor=there) == {"done": 3}
    assert set(bench.rows()) == {"linear", "mlp", "vote"}
    for row in bench.results.rows():
        assert stored_headline(bench.results, row)
    assert len(list((bench.results.folder / "weights").iterdir())) == 2
    left = [path for path in (tmp_path / "node").rglob("*") if path.is_file()]
    assert {path.suffix for path in left} <= {".log"}, "nothing is left on the node"


class Doomed:
    """An actor that is lost with the first spec that it gets."""

    def __init__(self, asked, place):
        pass

    def facts(self):
        return SlotFacts(ENVIRONMENT)

    def shares_results(self):
        return True

    def run(self, job, needed):
        yield {"event": "epoch", "epoch": 1, "epochs": 1, "loss": 1.0, "val_auc": 0.5}
        raise Lost


def test_a_slot_without_a_place_is_given_up_and_nothing_hangs(bench):
    ray = InProcess(rooms=1, actor=Doomed)
    there = executor(bench, ray)
    told = []
    with pytest.raises(UserError, match="no slot is left for 1 specs"):
        bench.run(
            bench.plan(make_suite(["linear"])), lambda p, event: told.append(event), executor=there
        )
    assert told[-1]["event"] == "lost"
    assert "the slot is given up: it found no room" in told[-1]["reason"]
    assert len(ray.killed) == 2, "the lost actor, and the one that found no room"
    assert not list(bench.results.rows())


def test_a_slot_that_finds_another_place_goes_on(bench):
    class OnceDoomed(Doomed):
        lost: list[str] = []  # noqa: RUF012, of all actors

        def run(self, job, needed):
            if not self.lost:
                self.lost.append(job.spec.spec_id)
                raise Lost
            yield DONE

    plan = bench.plan(make_suite(["linear", "mlp"]))
    ended = bench.run(plan, executor=executor(bench, InProcess(rooms=2, actor=OnceDoomed)))
    assert ended == {"done": 2}
    assert len(OnceDoomed.lost) == 1


def test_a_cluster_without_room_is_told(bench):
    with pytest.raises(UserError, match="no slot could be placed in the Ray cluster: it found no"):
        executor(bench, InProcess(rooms=0, actor=Doomed))
    assert not list(bench.results.folder.glob(".ray-*"))


needs_ray = pytest.mark.skipif(not importlib.util.find_spec("ray"), reason="ray is not installed")


@pytest.fixture
def cluster():
    from tests.execution.ray_cluster import Cluster

    started = Cluster()
    yield started
    started.stop()


def command(phantom, results, *options):
    _, data_dir, cache_dir = phantom
    folders = ["--results", results, "--data-dir", data_dir, "--cache-dir", cache_dir]
    words = ["run", "--suite", "phantom", "--dataset", "thorax_phantom/small", "--filter", SPECS]
    program = [sys.executable, "-c", "from benchmark.cli import main; main()"]
    return [*program, *words, *options, *map(str, folders)]


def started(phantom, results, *options):
    from tests.execution.ray_cluster import QUIET

    return subprocess.Popen(
        command(phantom, results, *options),
        env=os.environ | QUIET,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.fixture(scope="module")
def expected(phantom, tmp_path_factory):
    """Hashes of what one worker with one core predicts."""
    results = tmp_path_factory.mktemp("one")
    core = ["taskset", "-c", str(min(os.sched_getaffinity(0)))]
    subprocess.run([*core, *command(phantom, results)], check=True, capture_output=True)
    return hashes(results)


def wait_for(met, process, seconds=300.0):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        if met():
            return
        time.sleep(0.1)
    pytest.fail(f"it never came to that: {process.communicate(timeout=60)[0]}")


@needs_ray
@pytest.mark.slow
@pytest.mark.xdist_group("ray")
def test_a_node_that_is_killed_costs_nothing(phantom, tmp_path, cluster, expected):
    """Its specs are run on the other one, whose core is taken, so that the slot is given up."""
    run = started(phantom, tmp_path, "--executor", "ray", "--address", cluster.address)
    wait_for(lambda: len(list((tmp_path / "claims").glob("[!.]*"))) == 2, run)
    wait_for(lambda: hashes(tmp_path), run)
    cluster.nodes[1].kill()
    output, _ = run.communicate(timeout=400)
    assert run.returncode == 0, output
    assert "the slot is given up" in output
    assert f"Ended: {len(expected)} done." in output
    assert hashes(tmp_path) == expected
    assert not list(tmp_path.glob(".ray-*"))


@needs_ray
@pytest.mark.slow
@pytest.mark.xdist_group("ray")
def test_a_run_that_is_interrupted_leaves_no_actor(phantom, tmp_path, cluster):
    run = started(phantom, tmp_path, "--executor", "ray", "--address", cluster.address)
    wait_for(lambda: list((tmp_path / "claims").glob("[!.]*")), run)
    run.send_signal(signal.SIGINT)
    output, _ = run.communicate(timeout=120)
    assert run.returncode == 130, output
    deadline = time.monotonic() + 60
    while (left := actors(cluster)) and time.monotonic() < deadline:
        time.sleep(0.5)
    assert not left


def actors(cluster):
    """Actors and workers that are there on any node."""
    below = [each for node in cluster.nodes for each in node.raylet.children(recursive=True)]
    words = [" ".join(each.cmdline()) for each in below if each.is_running()]
    return [each for each in words if "SlotActor" in each or "scheduling.worker" in each]
