"""A results folder that is moved, replaced or removed while a run is at work on it."""

from __future__ import annotations

import shutil

import pytest

from benchmark.errors import UserError
from tests.execution.conftest import make_suite


@pytest.mark.parametrize("how", ["moved", "replaced", "removed"])
def test_a_run_ends_and_does_not_begin_it_anew(bench, tmp_path, how):
    folder, elsewhere = bench.results.folder, tmp_path / "elsewhere"
    plan = bench.plan(make_suite(["constant", "linear"], recipe={"epochs": 1}))

    def watch(planned, event):
        if event["event"] != "start" or planned.spec.model != "linear":
            return
        if how == "removed":
            shutil.rmtree(folder)
        else:
            folder.rename(elsewhere)
        if how == "replaced":
            folder.mkdir()

    with pytest.raises(UserError, match=r"results was moved, replaced or removed .* --results DIR"):
        bench.run(plan, watch)
    assert not list(folder.glob("rows/*"))
    if how != "removed":
        assert len(list(elsewhere.glob("rows/*.json"))) == 1
