"""Scores on disk are derived: whatever happens to their file, the numbers stay the same."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs
from scored_rows import KINDS, findings_row, masks_row

from benchmark.records.door import read_record, sealed
from benchmark.records.facts import LegacyRule
from benchmark.records.predictions import PredictionFileError
from benchmark.records.scores import Scores
from benchmark.records.store import Results
from benchmark.scoring import by_protocol
from benchmark.scoring.publishing import check, publish
from benchmark.scoring.scorecard import ScoringError
from benchmark.scoring.stored import (
    headline,
    stored_influence,
    stored_mask_scores,
    stored_scores,
)
from tests.records.rows import a_protocol, changed_by_hand, changed_bytes, resealed
from tests.records.written import write_predictions

ROW, CONTENT = findings_row()
READY = check(CONTENT, ROW.protocol)


@pytest.fixture
def results(tmp_path):
    return Results(tmp_path)


@pytest.fixture
def row(results):
    return publish(results, ROW, READY)


@pytest.fixture
def computed(monkeypatch):
    """The digests of predictions that were really scored."""
    calls = []
    score = by_protocol.score

    def counting(predictions, *, predictions_sha256, **options):
        calls.append(predictions_sha256)
        return score(predictions, predictions_sha256=predictions_sha256, **options)

    monkeypatch.setattr(by_protocol, "score", counting)
    return calls


@pytest.mark.parametrize("kind", KINDS)
def test_saved_scores_are_read_and_are_those_that_are_computed(kind, results, computed):
    made, content = findings_row(kind)
    row = publish(results, made, ready := check(content, made.protocol))
    assert stored_scores(results, row) == ready.scores
    assert len(computed) == 1
    results.scores_path(row.spec_id).unlink()
    assert stored_scores(results, row) == ready.scores
    assert len(computed) == 2
    assert stored_scores(results, row) == ready.scores
    assert len(computed) == 2


def test_scores_of_masks_are_kept_alike(results):
    made, content = masks_row()
    row = publish(results, made, ready := check(content, made.protocol))
    results.scores_path(row.spec_id).write_bytes(b"")
    for _ in range(2):
        assert stored_mask_scores(results, row) == ready.scores
    assert headline(row, ready.scores) == (
        "test Dice",
        ready.scores.splits["test"]["all"].overlaps["dice"],
    )


def test_the_headline_of_findings_is_their_auc():
    assert headline(ROW, READY.scores) == ("test AUC", READY.scores.splits["test"].metrics["auc"])


# --- files that were changed ----------------------------------------------------------------------

SAVED = sealed(READY.scores, readable=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return Results(tmp_path_factory.mktemp("results"))


@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_a_changed_file_changes_no_number(folder, data):
    row = publish(folder, ROW, READY, replace=True)
    path = folder.scores_path(row.spec_id)
    path.write_bytes(data.draw(changed_bytes(SAVED) | changed_by_hand(SAVED)))
    assert stored_scores(folder, row) == READY.scores
    assert read_record(path, Scores, "") == READY.scores


@pytest.mark.parametrize(
    "change",
    [
        lambda v: v.pop("gap"),
        lambda v: v.update(thresholds=None),
        lambda v: v["splits"]["test"]["metrics"].update(auc="0.99"),
        lambda v: v["splits"].pop("test"),
        lambda v: v["splits"]["train"]["per_finding"].clear(),
        lambda v: v["splits"]["test"].update(confusion={}),
        lambda v: next(iter(v["splits"]["train"]["confusion"].values())).pop(),
        lambda v: v["splits"]["test"].update(confusion=[[1]]),
        lambda v: v["splits"]["test"]["metrics"].update(auc=1e308),
        lambda v: v.update(fixed_thresholds=["of no image"]),
        lambda v: v.update(supported={}),
        lambda v: v.update(scorer_version=1),
        lambda v: v.update(predictions_sha256="f" * 64),
    ],
)
def test_scores_that_do_not_fit_are_computed_anew_though_their_seal_is_right(results, row, change):
    path = results.scores_path(row.spec_id)
    path.write_bytes(resealed(SAVED, change))
    assert stored_scores(results, row) == READY.scores
    assert path.read_bytes() == SAVED


def test_scores_of_another_row_are_not_taken(results, row):
    other, content = findings_row(seed=1)
    publish(results, other, check(content, other.protocol))
    results.scores_path(row.spec_id).write_bytes(results.scores_path(other.spec_id).read_bytes())
    assert stored_scores(results, row) == READY.scores


def test_the_same_predictions_under_another_protocol_have_their_own_resamples(results, row):
    protocol = a_protocol(row.spec, row.dataset.task.findings, split="another one")
    elsewhere = stored_scores(results, structs.replace(row, protocol=protocol))
    assert elsewhere.splits == READY.scores.splits
    assert elsewhere.intervals["test_f1"] != READY.scores.intervals["test_f1"]
    assert stored_scores(results, row) == READY.scores


def test_another_scorer_has_every_row_scored_anew(results, row, computed, monkeypatch):
    monkeypatch.setattr(by_protocol, "SCORER_VERSION", 10**6)
    monkeypatch.setattr("benchmark.scoring.scorecard.SCORER_VERSION", 10**6)
    assert stored_scores(results, row).scorer_version == 10**6
    assert len(computed) == 1


def test_a_folder_that_cannot_be_written_to_still_has_scores(results, row):
    path = results.scores_path(row.spec_id)
    path.unlink()
    path.parent.rmdir()
    path.parent.write_text("in the way")
    assert stored_scores(results, row) == READY.scores


# --- predictions that were changed ----------------------------------------------------------------


def test_edited_predictions_are_scored_as_they_are_and_told_from_the_row_s_own(results, row):
    digest = write_predictions(results.predictions_path(row.spec_id), findings_row(seed=1)[1])
    scores = stored_scores(results, row)
    assert scores.predictions_sha256 == digest != row.predictions_sha256
    assert scores.splits != READY.scores.splits


def test_missing_or_damaged_predictions_are_named_whatever_scores_are_saved(results, row):
    path = results.predictions_path(row.spec_id)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(PredictionFileError, match=str(path)):
        stored_scores(results, row)
    path.unlink()
    with pytest.raises(PredictionFileError, match=f"{path}: the prediction file is missing"):
        stored_scores(results, row)
    results.scores_path(row.spec_id).unlink()
    with pytest.raises(PredictionFileError, match=f"{path}: the prediction file is missing"):
        stored_scores(results, row)


def test_predictions_that_cannot_be_scored_are_named(results, row):
    path = results.predictions_path(row.spec_id)
    write_predictions(path, CONTENT.part("train"))
    with pytest.raises(ScoringError, match=f"{path}: .*no test split"):
        stored_scores(results, row)


# --- legacy protocols -----------------------------------------------------------------------------


def test_a_legacy_protocol_adds_the_numbers_of_its_own_rule(results):
    rule = LegacyRule(
        split="by_image", fractions={"test": 0.2}, random_state=0, copies="train", decision=0.9
    )
    protocol = a_protocol(
        ROW.spec, ROW.dataset.task.findings, legacy=True, legacy_name="legacy:x", rule=rule
    )
    spec = structs.replace(ROW.spec, protocol="legacy:x")
    ids = {"spec_id": spec.spec_id, "config_id": spec.config_id}
    made = structs.replace(ROW, protocol=protocol, spec=spec, **ids)
    row = publish(results, made, check(CONTENT, protocol))
    for _ in range(2):
        scores = stored_scores(results, row)
        test = CONTENT.part("test")
        right = (test.probabilities >= 0.9) == (test.targets == 1)
        assert scores.by_rule["test"].accuracy == pytest.approx(right.mean())
    assert READY.scores.by_rule is None


def _another_split(content):
    return replace(content, split=np.where(content.split == "train", "test", content.split))


OTHERS = {
    "flipped targets": (
        lambda c: replace(
            c, targets=np.where(np.arange(len(c.split)) < 3, 1 - c.targets.T, c.targets.T).T
        ),
        "of other train images or targets",
    ),
    "another finding": (lambda c: replace(c, findings=("other",)), "of other findings"),
    "images of another split": (_another_split, "of other train images|of other test images"),
}


@pytest.mark.parametrize("change", OTHERS)
def test_predictions_of_something_else_are_refused_though_row_and_file_agree(change, results, row):
    edit, said = OTHERS[change]
    path = results.predictions_path(row.spec_id)
    forged = structs.replace(row, predictions_sha256=write_predictions(path, edit(CONTENT)))
    results.write_row(forged)
    for _ in range(2):  # also where their scores have been stored
        with pytest.raises(PredictionFileError, match=f"{path}: .*({said}).* than its row says"):
            stored_scores(results, forged)


def test_a_saved_influence_is_read_and_is_the_one_that_is_computed(results, row):
    published = results.influence_path(row.spec_id).read_bytes()
    kept = stored_influence(results, row, READY.scores)
    results.predictions_path(row.spec_id).unlink()
    read = stored_influence(results, row, READY.scores)
    assert np.array_equal(read.of_patients, kept.of_patients)
    write_predictions(results.predictions_path(row.spec_id), CONTENT)
    results.influence_path(row.spec_id).write_bytes(published.replace(b"1", b"2"))
    again = stored_influence(results, row, READY.scores)
    assert again.value == kept.value == READY.scores.splits["test"].metrics["auc"]
    assert np.array_equal(again.of_patients, kept.of_patients)
    assert results.influence_path(row.spec_id).read_bytes() == published


def test_an_influence_of_other_predictions_is_computed_anew(results, row):
    other = replace(CONTENT, logits=-CONTENT.logits, probabilities=1 - CONTENT.probabilities)
    write_predictions(results.predictions_path(row.spec_id), other)
    scores = stored_scores(results, row)
    found = stored_influence(results, row, scores)
    assert found.value == scores.splits["test"].metrics["auc"] != READY.influence.value
