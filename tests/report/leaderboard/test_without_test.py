"""Rows without test in tables and pages: marked, never ranked, by validation."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner

from benchmark.cli import main
from benchmark.records.row import WITHOUT_TEST
from benchmark.report.export.leaderboard import write
from benchmark.report.gathering.gather import gather
from benchmark.report.html.site import write_site
from benchmark.scoring.stored import stored_scores

MARK = {"spec": {"no_test": True}, "watermarks": [WITHOUT_TEST]}


@pytest.fixture
def mixed(results, add):
    """A tested configuration, and two without test of which one is better on validation."""
    for seed in range(3):
        add("cnn", seed)
        add("cnn", seed, strength=1.0, **MARK)
        add("mlp", seed, strength=3.0, **MARK)
    return results


def test_they_stand_in_a_table_of_their_own_by_validation_and_unranked(mixed):
    tested, untested = gather(mixed)
    assert (tested.tested, untested.tested) == (True, False)
    assert untested.watermarks == (WITHOUT_TEST,)
    assert not untested.ranked
    assert [c.spec.model for c in untested.unranked] == ["mlp", "cnn"]
    assert all("no test image" in why for why in untested.obstacles.values())


def test_the_leaderboard_says_what_they_are_for(mixed):
    text = write(mixed).read_text()
    _, _, section = text.partition("## Without test: to choose on validation")
    assert WITHOUT_TEST in section
    lines = [line for line in section.splitlines() if line.startswith("| ") and " px" not in line]
    (mlp,) = [line for line in lines if line.startswith("| mlp")]
    runs = [row for row in mixed.rows() if row.spec.model == "mlp"]
    scores = [stored_scores(mixed, run) for run in runs]
    auc = np.mean([each.splits["validation"].metrics["auc"] for each in scores])
    error = np.mean([each.validation_auc_error for each in scores])
    assert f"| {auc:.3f}" in mlp
    assert f"| {error:.3f} |" in mlp


def test_exports_hold_them_without_a_letter_or_a_test_number(mixed):
    write(mixed)
    told = json.loads((mixed.folder / "leaderboard.json").read_bytes())
    (mlp,) = [c for c in told["configurations"] if c["model"] == "mlp"]
    assert mlp["letters"] is None
    assert mlp["watermarks"] == [WITHOUT_TEST]
    assert mlp["measurements"]["test_auc"]["mean"] is None
    assert mlp["measurements"]["validation_auc"]["mean"] > 0.5
    assert mlp["test_auc_per_finding"] == {}
    (without,) = [t for t in told["tables"] if t["watermarks"]]
    assert "test" not in without["counts"]


def test_their_pages_show_validation_and_no_test(mixed, tmp_path):
    write_site(mixed, tmp_path)
    (config,) = {row.config_id for row in mixed.rows() if row.spec.model == "mlp"}
    page = (tmp_path / "rows" / f"{config}.html").read_text()
    assert WITHOUT_TEST in page
    assert "50 validation images" in page
    assert "test images of" not in page
    assert "Curves on the test images" not in page
    for file in ("index.html", "suites/toy.html", "suites/toy-checklist.html"):
        assert (tmp_path / file).is_file()
    assert not list((tmp_path / "figures" / "rows" / config).glob("roc*"))


def test_a_folder_of_nothing_else_has_a_leaderboard_and_a_site(results, add, tmp_path):
    add("cnn", **MARK)
    assert "to choose on validation" in write(results).read_text()
    write_site(results, tmp_path)
    assert (tmp_path / "suites" / "toy.html").is_file()


def command(results, *words: str):
    return CliRunner().invoke(main, [*words, "--results", str(results.folder)])


def test_show_says_it_and_compare_refuses_them(mixed):
    ids = sorted({row.config_id for row in mixed.rows() if row.spec.no_test})
    shown = command(mixed, "show", ids[0])
    assert shown.exit_code == 0, shown.output
    assert "Without test: no test image was predicted" in shown.output
    assert "On test, by finding" not in shown.output
    refused = command(mixed, "compare", *ids)
    assert refused.exit_code == 2
    assert "was run without test" in refused.output


def test_a_tested_row_is_not_compared_with_one_without(mixed):
    without = next(row.config_id for row in mixed.rows() if row.spec.no_test)
    tested = next(row.config_id for row in mixed.rows() if not row.spec.no_test)
    assert command(mixed, "compare", tested, without).exit_code == 2
