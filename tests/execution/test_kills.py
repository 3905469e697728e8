"""SIGKILL to the runner, the worker and both: what comes out in the end is the same bytes."""

from __future__ import annotations

import time

import pytest

from benchmarks.kills import VICTIMS, Bench, differences, workers

SPECS = ["--dataset", "thorax_phantom/small", "--filter", "model=constant|linear,seed=0"]
FOREVER = 300.0
"""Seconds after which a moment is taken never to come, on a slow machine too."""


@pytest.mark.slow
def test_a_suite_that_is_killed_again_and_again_ends_as_if_it_was_not(phantom, tmp_path):
    (tmp_path / "data").symlink_to(phantom[1])
    bench = Bench(tmp_path, ["--suite", "phantom", *SPECS])
    expected = bench.finish("undisturbed")
    assert sum(name.startswith("predictions/") for name in expected) == 2
    seen: set[int] = set()

    def a_spec_is_begun_by_another_worker(run):
        """A worker that no kill has met is there, and a spec is claimed for it."""
        deadline = time.monotonic() + FOREVER
        while time.monotonic() < deadline and run.poll() is None:
            claimed = list((tmp_path / "killed/claims").glob("[!.]*"))
            fresh = set(workers(run.pid)) - seen
            if claimed and fresh:
                seen.update(fresh)
                return True
            time.sleep(0.01)
        return False

    for victim in VICTIMS:
        assert bench.kill_once("killed", victim, a_spec_is_begun_by_another_worker)
    assert bench.killed == list(VICTIMS)
    assert differences(expected, bench.finish("killed")) == []
