"""What the shape of the original files tells alone: the number, its basis, and what is said."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from click.testing import CliRunner
from sklearn.metrics import roc_auc_score

from benchmark.cli import main
from benchmark.commands.audit import CHANCE
from benchmark.data.shapes import SHAPES
from benchmark.report.eda.file_shape import shape_alone
from benchmark.report.eda.page import shape_section
from benchmark.report.eda.statistics import by_shape
from benchmark.report.render import markdown
from tests.data.shaped_sets import NAME, lines_of, shaped, telling


def audit(data_dir, out) -> tuple[str, dict]:
    folders = ["--data-dir", str(data_dir), "--cache-dir", str(out), "--out", str(out)]
    done = CliRunner().invoke(main, ["audit", NAME, "--no-images", *folders])
    assert done.exit_code == 0, done.output
    return done.output, json.loads((out / "image_folder-mine.json").read_bytes())["shape_alone"]


def test_a_shape_that_goes_with_a_finding_is_found_with_its_interval(tmp_path):
    lines = lines_of()
    sizes = telling(lines)
    told = shape_alone(shaped(tmp_path, lines, **sizes))
    (found,) = told.findings
    assert (found.finding, found.images) == ("Mass", 180)
    assert found.positive == lines["target:Mass"].sum()
    by_hand = roc_auc_score(lines["target:Mass"], sizes["width"] > 1500)
    assert found.auc == pytest.approx(by_hand, abs=0.06)
    assert CHANCE < found.low < found.auc < found.high < 1
    assert not told.basis


def test_no_image_is_scored_by_a_model_that_knows_its_patient(tmp_path):
    """Every patient has a shape of its own: what is learnt of one says nothing of another."""
    lines = lines_of(seed=2)
    by_patient = lines["patient_id"].str[1:].astype(int)
    lines["target:Mass"] = np.random.default_rng(3).integers(0, 2, 90)[by_patient]
    side = 1000 + np.random.default_rng(4).permutation(90)[by_patient]
    (found,) = shape_alone(shaped(tmp_path, lines, width=side, height=side)).findings
    assert found.low < CHANCE < found.high


def test_only_images_of_known_shape_count(tmp_path):
    lines = lines_of()
    known = np.arange(len(lines)) % 3 > 0
    sizes = {k: np.where(known, v, np.nan) for k, v in telling(lines).items()}
    told = shape_alone(shaped(tmp_path, lines, **sizes))
    assert told.findings[0].images == known.sum() == told.known
    assert told.basis == "the 120 of 180 images whose original size is known"
    output, found = audit(tmp_path, tmp_path / "out")
    assert "better than chance for 1 of 1 findings, on the 120 of 180 images" in output
    assert (found["known"], found["images"]) == (120, 180)


def test_unlabelled_images_count_neither_way_and_rare_findings_are_named(tmp_path):
    lines = lines_of(findings=("Mass", "Hernia"))
    lines["target:Hernia"] = (np.arange(len(lines)) < 12).astype(int)
    lines.loc[100:, "labelled:Mass"] = 0
    told = shape_alone(shaped(tmp_path, lines, **telling(lines)))
    assert [(f.finding, f.images) for f in told.findings] == [("Mass", 100)]
    assert told.too_few == ["Hernia"]
    assert "too few patients: Hernia" in audit(tmp_path, tmp_path / "out")[0]


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ({"width": 1024, "height": 1024}, "all files of .* have the same shape .1024 x 1024 px"),
        ({}, "all files have the same shape .8 x 8 px., and the original width and height of 180"),
    ],
)
def test_files_of_one_shape_are_said_to_tell_nothing(tmp_path, numbers, said):
    lines = lines_of()
    prepared = shaped(tmp_path, lines, **{k: [v] * len(lines) for k, v in numbers.items()})
    told = shape_alone(prepared)
    assert not told.findings
    output, found = audit(tmp_path, tmp_path / "out")
    (line,) = [line for line in output.splitlines() if "AUC of the file's shape alone" in line]
    assert re.search(said, line)
    assert found["nothing"] == told.nothing
    page = markdown.document(shape_section(told, []))
    assert "It tells nothing" in page


def test_copies_of_several_sizes_are_not_taken_for_originals(tmp_path):
    lines = lines_of()
    lines["width"] = np.where(lines["target:Mass"], 8, 9)
    assert "are not known" in shape_alone(shaped(tmp_path, lines)).nothing
    assert "same shape" not in shape_alone(shaped(tmp_path, lines)).nothing


def test_a_set_that_was_prepared_earlier_says_how_to_know(tmp_path):
    prepared = shaped(tmp_path, lines_of())
    (prepared.path / SHAPES).unlink()
    output, _ = audit(tmp_path, tmp_path / "out")
    assert f"cxr-bench prepare {NAME}" in output


def test_the_page_of_a_set_says_what_it_rests_on(tmp_path):
    lines = lines_of()
    told = shape_alone(shaped(tmp_path, lines, **telling(lines)))
    (row,) = by_shape(told)
    assert (row.table, row.finding, row.measure, row.images) == ("shape", "Mass", "AUC", 180)
    assert (row.value, row.low) == (told.findings[0].auc, told.findings[0].low)
    page = markdown.document(shape_section(told, [row]))
    assert "AUC of the file's shape alone" in page
    assert "shortcut" in page
    assert f"{row.value:.2f}" in page
