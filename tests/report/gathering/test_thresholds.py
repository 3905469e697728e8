"""What decides, on every page that says it."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from benchmark.report.blocks.values import as_text
from benchmark.report.gathering.thresholds import FROZEN, decided
from benchmark.report.leaderboard.board import Leaderboard
from benchmark.report.leaderboard.document import document
from benchmark.report.leaderboard.first_screen import first_tables
from benchmark.report.leaderboard.story import story
from benchmark.report.render import markdown
from tests.records.rows import a_row


@pytest.mark.parametrize(
    ("source", "fixed", "said"),
    [
        ("validation", [], FROZEN),
        ("validation", ["b"], f"{FROZEN}, at 0.5 for b with too few patients there"),
        ("validation", ["a", "b"], "at 0.5, too few patients in validation"),
        ("fixed", ["a", "b"], "at 0.5, "),
        ("argmax", [], "by the most probable finding"),
    ],
)
def test_it_is_told_as_it_was(source, fixed, said):
    scores = SimpleNamespace(threshold_source=source, fixed_thresholds=fixed, findings=["a", "b"])
    told = decided(scores, a_row())
    assert told.startswith(said)
    assert (FROZEN in told) == (len(fixed) < 2 and source == "validation")


def test_no_page_says_that_validation_chose_what_it_did_not(results, add_seeds):
    """Validation has one patient, so that all is decided at 0.5."""
    ids = np.array([f"{i // 2:03d}" for i in range(190)])
    ids[100:130] = "050"
    add_seeds("cnn", strength=2.0, people={"patient_id": ids})
    of = Leaderboard.of(results)
    (run, *_) = of.tables[0].configurations[0].runs
    assert run.scores.fixed_thresholds == run.scores.findings
    told = [as_text(sentence) for sentence in story(of, first_tables(of.tables))]
    assert any("F1 on test is" in each and "at 0.5, too few patients" in each for each in told)
    page = markdown.document(document(of, cost=True))
    assert "On the test split at 0.5, too few patients in validation" in page
    assert FROZEN not in page
