"""SIGKILL to the runner, the worker and both: what comes out in the end is the same bytes."""

from __future__ import annotations

import pytest

from benchmarks.kills import VICTIMS, Bench, kill_and_compare

SPECS = ["--dataset", "thorax_phantom/small", "--filter", "model=constant|linear,seed=0"]


@pytest.mark.xdist_group("runs")
def test_a_suite_that_is_killed_again_and_again_ends_as_if_it_was_not(phantom, tmp_path):
    (tmp_path / "data").symlink_to(phantom[1])
    bench = Bench(tmp_path, ["--suite", "phantom", *SPECS])
    expected = bench.finish("undisturbed")
    assert sum(name.startswith("predictions/") for name in expected) == 2
    assert kill_and_compare(bench, expected, kills=3, latest=6, seed=1) == []
    assert set(bench.killed) == set(VICTIMS)
