"""`leaderboard --recompute` believes nothing but rows and predictions."""

from __future__ import annotations

import json
import re
import shutil

import pytest
from click.testing import CliRunner

from benchmark.cli import main
from benchmark.records.door import sealed
from benchmark.records.files import write_atomic
from benchmark.records.store import DERIVED, Results
from tests.records.rows import values_of
from tests.report.made_rows import add_seeds


def recomputed(results):
    return CliRunner().invoke(
        main, ["leaderboard", "--recompute", "--results", str(results.folder)]
    )


@pytest.fixture(scope="module")
def computed(tmp_path_factory):
    results = Results(tmp_path_factory.mktemp("results"))
    add_seeds(results, "cnn", strength=3.0)
    add_seeds(results, "mlp", strength=1.0)
    assert recomputed(results).exit_code == 0
    return results.folder


@pytest.fixture
def whole(computed, tmp_path):
    """A results folder with everything that is derived; returns it and the bytes of that."""
    results = Results(shutil.copytree(computed, tmp_path / "results"))
    return results, derived(results)


def derived(results) -> dict:
    paths = (path for name in DERIVED for path in (results.folder / name).iterdir())
    return {path: path.read_bytes() for path in paths}


def test_what_is_computed_already_stays_to_the_byte(whole):
    results, before = whole
    done = recomputed(results)
    assert (done.exit_code, derived(results)) == (0, before)
    assert "0 stored file(s) held other numbers" in done.output


@pytest.mark.parametrize("name", DERIVED)
def test_forged_numbers_are_named_and_replaced(whole, name):
    results, before = whole
    path = next(path for path in before if path.parent.name == name)
    text = json.dumps(values_of(before[path]))
    forged = re.sub(r"0\.(\d)", lambda digit: f"0.{9 - int(digit[1])}", text)
    path.write_bytes(sealed(json.loads(forged)))
    done = recomputed(results)
    assert done.exit_code == 1
    assert f"{path}: held other numbers" in done.output
    assert derived(results) == before


def test_what_nobody_would_have_believed_is_no_fault(whole):
    results, before = whole
    for path, data in before.items():
        path.write_bytes(data[:-9])
    assert recomputed(results).exit_code == 0
    assert derived(results) == before


def test_what_is_left_out_is_named_by_its_own_path(whole):
    results, _ = whole
    path = next((results.folder / "predictions").iterdir())
    write_atomic(path, b"")
    done = recomputed(results)
    assert done.exit_code == 0
    assert f"Left out: {path}: " in done.output
