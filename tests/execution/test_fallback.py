"""A spec that runs out of memory is tried again in smaller parts, as another spec."""

from __future__ import annotations

from dataclasses import replace

import pytest
from msgspec import structs

from benchmark.machine.memory import is_shortage
from benchmark.planning.fallback import FEWEST, smaller
from benchmark.records.row import MEMORY_FALLBACK
from benchmark.records.run_facts import Failure
from benchmark.report.export.leaderboard import write
from benchmark.scheduling.slots import Limits
from benchmark.spec import EnsembleRule, Spec
from tests.execution.conftest import CARD, Bench, make_suite, write_row

GREEDY = f"""{CARD}
import numpy, time


class Greedy(keras.layers.Layer):
    def call(self, x, training=False):
        taken = []
        while training and x.shape[0] is not None and x.shape[0] > 8:
            taken.append(numpy.ones(2**24))  # 128 MiB
            time.sleep(0.05)
        return x


def build(input_shape, task, weights):
    images = keras.Input(input_shape)
    flat = keras.layers.Flatten()(Greedy()(images))
    return keras.Model(images, keras.layers.Dense(task.n_outputs, name="logits")(flat))
"""


@pytest.fixture(scope="module")
def finished(phantom, tmp_path_factory):
    """A run of a model that takes all memory where it sees more than eight images at a time."""
    folder = tmp_path_factory.mktemp("models")
    (folder / "greedy.py").write_text(GREEDY)
    bench = Bench(phantom, tmp_path_factory.mktemp("run"), [folder])
    suite = make_suite(["greedy"], recipe={"epochs": 1, "batch_size": 16})
    (planned,) = bench.plan(suite).specs
    told = []
    ended = bench.run(
        bench.plan(suite),
        lambda planned, event: told.append((planned.spec.micro_batch, event["event"])),
        isolated=True,
        limits=Limits(memory_mb=2500),
    )
    return bench, suite, planned, ended, told


def test_it_is_run_again_with_half_as_many_images_at_a_time(finished):
    bench, _, planned, ended, told = finished
    assert ended == {"done": 1}
    assert [t for t in told if t[1] in ("start", "failed", "done")] == [
        (16, "start"),
        (16, "failed"),
        (8, "start"),
        (8, "done"),
    ]
    failed = bench.results.read_row(planned.spec.spec_id)
    assert failed.status == "failed"
    assert "out of memory: the worker took" in failed.error.reason
    assert "tried again with 8 images at a time" in failed.error.reason
    done = bench.results.read_row(failed.error.fallback)
    assert (done.status, done.spec.micro_batch) == ("done", 8)
    assert (done.spec.recipe["batch_size"], done.spec.recipe["accumulate"]) == (16, 2)


def test_its_row_never_stands_beside_full_ones(finished):
    bench, _, planned, *_ = finished
    done = bench.results.read_row(smaller(planned).spec.spec_id)
    assert done.watermarks == [MEMORY_FALLBACK]
    assert MEMORY_FALLBACK in write(bench.results).read_text()


def test_a_later_run_does_not_repeat_it_unless_all_is_asked_for(finished):
    bench, suite, planned, *_ = finished
    for rerun in (None, "failed", "stale"):
        plan = bench.plan(suite, rerun=rerun)
        assert plan.to_run() == []
        assert plan.summary() == {"done": 1}
    (again,) = bench.plan(suite, rerun="all").to_run()
    assert again.spec == planned.spec


def test_a_run_that_was_killed_between_the_two_goes_on_with_the_smaller_one(bench):
    suite = make_suite(["linear"])
    (planned,) = bench.plan(suite).specs
    less = smaller(planned)
    failure = Failure(reason="out of memory", fallback=less.spec.spec_id)
    write_row(bench.results, planned, "failed", error=failure)
    assert [p.spec for p in bench.plan(suite).to_run()] == [less.spec]


def test_where_all_of_them_failed_a_rerun_begins_with_the_first(bench):
    suite = make_suite(["linear"])
    (planned,) = bench.plan(suite).specs
    less = smaller(planned)
    failure = Failure(reason="out of memory", fallback=less.spec.spec_id)
    write_row(bench.results, planned, "failed", error=failure)
    write_row(bench.results, less, "failed")
    assert bench.plan(suite).to_run() == []
    assert [p.spec for p in bench.plan(suite, rerun="failed").to_run()] == [planned.spec]


def test_the_parts_shrink_to_a_floor_and_the_batch_stays(bench):
    (planned,) = bench.plan(make_suite(["linear"], recipe={"batch_size": 32})).specs
    seen = []
    while planned := smaller(planned):
        seen.append(planned.spec)
    assert [spec.micro_batch for spec in seen] == [16, 8, FEWEST]
    assert all(spec.recipe["accumulate"] * spec.micro_batch == 32 for spec in seen)
    assert len({spec.spec_id for spec in seen}) == 3


def test_there_is_nothing_smaller_where_no_images_are_trained_on(bench):
    (constant,) = bench.plan(make_suite(["constant"])).specs
    assert smaller(constant) is None
    (linear,) = bench.plan(make_suite(["linear"])).specs
    rule = EnsembleRule(rule="soft_vote")
    ensemble = replace(linear, spec=structs.replace(linear.spec, ensemble=rule))
    assert smaller(ensemble) is None


def test_the_same_parts_by_plan_are_another_spec(bench):
    (planned,) = bench.plan(make_suite(["linear"], recipe={"batch_size": 16})).specs
    meant = make_suite(["linear"], recipe={"batch_size": 16, "accumulate": 2})
    (planned_so,) = bench.plan(meant).specs
    fallback = smaller(planned).spec
    assert fallback.recipe == planned_so.spec.recipe
    assert fallback.spec_id != planned_so.spec.spec_id
    assert Spec.from_dict(fallback.as_dict()) == fallback


class ResourceExhaustedError(Exception):
    """By its name, as TensorFlow's."""


@pytest.mark.parametrize(
    ("error", "short"),
    [
        (MemoryError(), True),
        (ResourceExhaustedError("OOM when allocating tensor"), True),
        (RuntimeError("RESOURCE_EXHAUSTED: Out of memory while trying to allocate"), True),
        (ValueError("shapes do not agree"), False),
    ],
)
def test_errors_for_want_of_memory_are_told_from_others(error, short):
    assert is_shortage(error) is short
