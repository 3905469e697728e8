"""Rows that were not measured on what their table says: shown with the reason, not ranked."""

from __future__ import annotations

from dataclasses import replace

import pytest
from click.testing import CliRunner
from msgspec import structs

from benchmark.cli import main
from benchmark.records.door import read_derived, write_record
from benchmark.records.predictions import read_predictions
from benchmark.records.scores import Scores
from benchmark.report.export.leaderboard import write
from benchmark.report.gathering.gather import gather
from tests.records.written import write_predictions
from tests.report.made_rows import legacy, protocol


@pytest.fixture
def edit(results):
    """Change the prediction file of a row."""

    def change(row, **arrays):
        path = results.predictions_path(row.spec_id)
        old = read_predictions(path, row.dataset.task.kind)
        made = {name: function(getattr(old, name).copy()) for name, function in arrays.items()}
        write_predictions(path, replace(old, **made))

    return change


def with_last(value):
    """Arrays whose last line, of the test split, holds something else."""

    def change(values):
        values[-1] = value
        return values

    return change


def ranked(table):
    return {c.spec.model for c in table.ranked}


CHANGES = {
    "another image": {"image_id": with_last("elsewhere")},
    "another patient": {"patient_id": with_last("somebody")},
    "another target": {"targets": lambda values: 1 - values},
}


@pytest.mark.parametrize("change", CHANGES)
def test_another_test_set_is_shown_and_not_ranked(change, results, add_seeds, edit):
    _, (_, seed, _) = add_seeds("mlp"), add_seeds("cnn")
    edit(seed, **CHANGES[change])
    (table,) = gather(results)
    assert ranked(table) == {"mlp"}
    (why,) = table.obstacles.values()
    digest = table.protocol.test_digest[:12]
    assert why.startswith("its predictions are of other test images, patients or targets (digest ")
    assert why.endswith(f", not {digest})")
    write(results)
    assert f"Not ranked, {why}" in (results.folder / "LEADERBOARD.md").read_text()


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("of", ["config_id", "spec_id"])
def test_rows_of_different_test_sets_are_not_compared(change, of, results, add_seeds, edit):
    (first, *_), (second, *_) = add_seeds("mlp"), add_seeds("cnn")
    edit(second, **CHANGES[change])
    ids = [getattr(row, of) for row in (first, second)]
    told = CliRunner().invoke(main, ["compare", *ids, "--results", str(results.folder)])
    assert told.exit_code == 2, told.output
    assert "cnn" in told.output.partition("cannot be compared")[0]
    assert "its predictions are of other test images, patients or targets" in told.output


def test_other_predictions_of_the_same_test_set_are_ranked(results, add_seeds, edit):
    _, (_, seed, _) = add_seeds("mlp"), add_seeds("cnn")
    edit(seed, logits=lambda values: values[::-1])
    (table,) = gather(results)
    assert ranked(table) == {"cnn", "mlp"}


def test_rows_of_a_rule_are_held_against_each_other(results, add_seeds, edit):
    shared = legacy("legacy_s3")
    for model in ("mlp", "resnet50"):
        add_seeds(model, shared=shared)
    (_, seed, _) = add_seeds("cnn", shared=shared)
    edit(seed, targets=lambda values: 1 - values)
    (table,) = gather(results)
    assert ranked(table) == {"mlp", "resnet50"}


def test_means_of_other_findings_are_shown_and_not_ranked(results, add_seeds):
    shared = protocol("toy/two", ("A", "B"))
    for model in ("mlp", "resnet50"):
        add_seeds(model, shared=shared, kind="multilabel")
    rows = add_seeds("cnn", shared=shared, kind="multilabel")
    (table,) = gather(results)
    assert ranked(table) == {"cnn", "mlp", "resnet50"}
    saved = results.scores_path(rows[0].spec_id)
    fewer = structs.replace(read_derived(saved, Scores), macro_findings=["A"])
    write_record(saved, fewer, readable=False)
    (table,) = gather(results)
    assert ranked(table) == {"mlp", "resnet50"}
    (why,) = table.obstacles.values()
    assert why == "its means are of other findings than those of the table (A, not A, B)"
