"""Columns: one entry shows a metric everywhere; the legend comes from the same ones."""

from __future__ import annotations

import csv as csv_reader
import io
from pathlib import Path

import pytest

from benchmark.records.store import Results
from benchmark.report import columns
from benchmark.report.blocks.tables import DataTable, Details
from benchmark.report.blocks.values import as_text
from benchmark.report.columns import COLUMNS, DETAILS, PAGE, RANKING, entries, quantity
from benchmark.report.export.leaderboard import write
from benchmark.report.gathering import configuration
from benchmark.report.gathering.configuration import QUANTITIES
from benchmark.report.leaderboard.board import Leaderboard
from benchmark.report.leaderboard.document import document
from benchmark.report.render import csv, html, latex, markdown
from benchmark.report.sections import legend
from benchmark.scoring import scorecard
from benchmark.scoring.metrics import METRICS, Metric

ROOT = Path(__file__).parents[2]


@pytest.fixture
def youden(monkeypatch):
    """Scoring computes Youden's index, and one column shows it."""

    def index(sample) -> float:
        tn, fp, fn, tp = sample.confusion
        return tp / (tp + fn) + tn / (tn + fp) - 1

    monkeypatch.setitem(METRICS, "youden", Metric(index, higher_is_better=True))
    monkeypatch.setattr(scorecard, "HEADLINES", (*scorecard.HEADLINES, "youden"))
    of_test = configuration.of_split("test", "youden")
    monkeypatch.setitem(QUANTITIES, "test_youden", of_test)  # follows from HEADLINES at import
    made = quantity("test_youden", "Youden", legend="Sensitivity plus specificity minus 1.")
    for module in (columns, legend):
        monkeypatch.setattr(module, "COLUMNS", (*COLUMNS, made))


@pytest.mark.usefixtures("youden")
def test_one_column_shows_a_metric_everywhere(results, add_seeds):
    add_seeds("cnn")
    blocks = document(Leaderboard.of(results), cost=True)
    folded = [inner for b in blocks if isinstance(b, Details) for inner in b.blocks]
    details = next(b for b in folded if isinstance(b, DataTable) and has(b, "Youden"))
    measured = Leaderboard.of(results).tables[0].configurations[0].measurements
    value = measured["test_youden"]
    expected = measured["test_sensitivity"].mean + measured["test_specificity"].mean - 1
    assert value.mean == pytest.approx(expected)
    shown = f"{value.mean:.3f}\xa0±\xa0{value.seed_sd:.3f}"
    for written in (markdown.document(blocks), html.blocks(blocks)):
        assert shown in written
        assert written.index(shown) < written.index("Sensitivity plus specificity minus 1.")
    (line,) = csv_reader.DictReader(io.StringIO(csv.table(details)))
    assert float(line["test_youden"]) == value.mean
    assert " & Youden" in latex.table(details)
    assert f"{value.mean:.3f}~$\\pm$~" in latex.table(details)
    write(results)
    (line,) = csv_reader.DictReader(io.StringIO((results.folder / "leaderboard.csv").read_text()))
    assert float(line["test_youden"]) == value.mean


def has(table: DataTable, header: str) -> bool:
    return any(as_text(column.heading) == header for column in table.columns)


def test_every_column_has_a_name_of_its_own_and_a_place():
    names = [column.name for column in COLUMNS]
    assert len(set(names)) == len(names)
    assert all(column.places for column in COLUMNS)
    quantities = [name for name in names if name.startswith(("test_", "gap_", "train_auc"))]
    assert set(quantities) <= set(QUANTITIES)


def test_the_legend_explains_each_column_once_and_cost_only_where_it_is_shown():
    signs = [as_text(sign) for sign, _ in legend.meanings(cost=True, stale=True)]
    assert len(set(signs)) == len(signs)
    explained = [as_text(c.sign or c.header) for c in COLUMNS if c.legend]
    assert set(explained) <= set(signs)
    without = [as_text(sign) for sign, _ in legend.meanings(cost=False, stale=False)]
    assert set(signs) - set(without) == {"Training, hardware", "¶"}


def test_the_legend_explains_the_words_for_training_that_occur(results, add):
    add("cnn", spec={"augmentation": "strong", "precision": "mixed_bfloat16"})
    shown = Leaderboard.of(results).tables[0].configurations
    told = {as_text(sign): as_text(said) for sign, said in legend.trained([c.spec for c in shown])}
    assert "strong: Geometric, then photometric." in told["Augmentation"]
    assert "standard" not in told["Augmentation"]
    assert told["Scheme"].startswith("scratch: Every layer")
    assert told["Recipe"].startswith("unnamed: ")
    assert "Imbalance policy" not in told
    assert "precision mixed_bfloat16" in told
    assert "docs/suites.md" in told["Other ways to train"]
    assert legend.trained([]) == []


def test_a_column_stands_in_the_tables_that_it_names(results, add):
    add("cnn")
    (table,) = Leaderboard.of(results).tables
    for place, shown, left_out in (
        (RANKING, "Hardware", "Accuracy"),
        (DETAILS, "F1 gap", "Hardware"),
        (PAGE, "Brier score", "Group"),
    ):
        headings = [as_text(c.heading) for c in columns.columns(place)]
        assert shown in headings
        assert left_out not in headings
    costly = {c.name for c in COLUMNS} - {c.name for c in COLUMNS if not c.cost}
    assert costly == {"train_seconds", "hardware"}
    assert not costly & {c.name for c in columns.columns(RANKING, cost=False)}
    (entry,) = entries(table)
    assert all(as_text(column.value(entry)) for column in COLUMNS if column.name != "preparation")


def test_the_committed_leaderboard_is_what_its_rows_give():
    blocks = document(Leaderboard.of(Results(ROOT / "results")), cost=True)
    assert markdown.document(blocks) == (ROOT / "results" / "LEADERBOARD.md").read_text()
