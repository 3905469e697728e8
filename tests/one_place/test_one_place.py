"""One file, or one folder, adds a model, a data set, a suite or a kind: the rest finds it."""

from __future__ import annotations

import json

import pytest

pytestmark = pytest.mark.xdist_group("one_place")  # the session's house is built once


def test_all_of_it_is_listed(house):
    listed = house.cxr_bench("list")
    assert all(name in listed for name in ("brightness", "twin/small", "added"))


def test_all_of_it_is_run(rows):
    endings = {name: (row.status, row.error) for name, row in rows.items()}
    assert endings == dict.fromkeys(("brightness", "linear", "echo", "middle"), ("done", None))
    assert {row.spec.dataset for row in rows.values()} == {"twin/small"}
    echo = rows["echo"]
    assert (echo.spec.kind, echo.code["kind"]) == ("first_member", "9")
    assert echo.spec.members == {"brightness": rows["brightness"].spec_id}
    assert echo.predictions_sha256 == rows["brightness"].predictions_sha256


def test_all_of_it_is_in_the_table(results):
    tables = json.loads((results.folder / "leaderboard.json").read_text())
    shown = {(c["model"], c["dataset"]) for c in tables["configurations"]}
    assert {("brightness", "twin/small"), ("echo", "twin/small")} <= shown
    text = (results.folder / "LEADERBOARD.md").read_text()
    assert "echo (ensemble)" in text
    assert "First of brightness" in text
