"""Publishing: all or nothing, the row last, and nothing replaced without being asked to."""

from __future__ import annotations

import os
from dataclasses import replace
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from msgspec import structs
from scored_rows import KINDS, findings_row, masks_row

from benchmark.errors import UserError
from benchmark.hashing import sha256_of_file
from benchmark.records.door import RecordError
from benchmark.records.predictions import PredictionFileError, link
from benchmark.records.store import Results
from benchmark.scoring.publishing import Checked, check, publish
from benchmark.scoring.scorecard import ScoringError
from benchmark.scoring.stored import stored_mask_scores, stored_scores
from tests.folders import contents
from tests.records.rows import a_failed_row, a_protocol, a_spec

ROWS = {kind: findings_row(kind) for kind in KINDS} | {"masks": masks_row()}


def checked(kind: str = "binary") -> Checked:
    row, content = ROWS[kind]
    return check(content, row.protocol)


def of_another_run() -> Checked:
    """Other logits of the same images."""
    row, content = ROWS["binary"]
    logits = content.logits[::-1].copy()
    return check(
        replace(content, logits=logits, probabilities=link(logits, "binary")), row.protocol
    )


@pytest.fixture
def results(tmp_path):
    return Results(tmp_path / "results")


@pytest.mark.parametrize("kind", ROWS)
def test_what_is_published_is_there_and_is_one(kind, results):
    row, _ = ROWS[kind]
    made = publish(results, row, ready := checked(kind))
    assert results.read_row(row.spec_id) == made
    assert made == structs.replace(row, predictions_sha256=ready.sha256)
    assert sha256_of_file(results.predictions_path(row.spec_id)) == made.predictions_sha256
    before = contents(results.folder)
    scores = (stored_mask_scores if kind == "masks" else stored_scores)(results, made)
    assert scores == ready.scores
    assert contents(results.folder) == before  # the scores were there


def test_a_row_is_not_published_with_predictions_of_other_images(results):
    row, content = ROWS["binary"]
    flipped = check(replace(content, targets=1 - content.targets), row.protocol)
    with pytest.raises(UserError, match=r"its predictions are of other .* images or targets"):
        publish(results, row, flipped)
    assert not results.folder.exists()


def test_predictions_come_first_and_the_row_last(results, monkeypatch):
    order, rename = [], Path.replace
    monkeypatch.setattr(Path, "replace", lambda a, b: order.append(b.parent.name) or rename(a, b))
    row = ROWS["binary"][0]
    publish(results, row, checked(), large={results.weights_path(row.spec_id): b"weights"})
    assert order == ["weights", "predictions", "scores", "influences", "rows"]


@pytest.mark.parametrize("name", ["predictions", "scores", "influences", "rows"])
def test_a_row_is_not_published_through_a_link(name, results, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    results.folder.mkdir()
    (results.folder / name).symlink_to(elsewhere)
    with pytest.raises(UserError, match=f"{name} leads to another folder"):
        publish(results, ROWS["binary"][0], checked())
    assert contents(tmp_path) == {}


def test_predictions_that_may_not_be_published_stay_apart(results):
    row, _ = ROWS["binary"]
    private = structs.replace(row, dataset=structs.replace(row.dataset, redistributable=False))
    publish(results, private, checked())
    assert not results.predictions_path(row.spec_id).exists()
    assert results.predictions_path(row.spec_id, False).is_file()


# --- predictions that are refused -----------------------------------------------------------------


def spoilt(**changes):
    row, content = ROWS["multilabel"]
    values = {name: value(getattr(content, name).copy()) for name, value in changes.items()}
    return replace(content, **values), row.protocol


def at(place, value):
    def put(array):
        array = array.astype(object) if isinstance(value, str) else array.astype(np.float64)
        array[place] = value
        return array.astype(str) if isinstance(value, str) else array

    return put


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"logits": at((7, 1), 1e39)}, r"line 9 \(image 'image_7'\): a logit .* not a finite"),
        ({"logits": at((7, 1), np.nan)}, "a logit that is not a finite number"),
        ({"probabilities": at((7, 1), 1.1)}, "a probability outside"),
        ({"targets": at((7, 1), 2)}, "a target other than"),
        ({"targets": at((7, 1), 0.5)}, "targets of finding_1"),
        ({"image_id": at(7, "image_6")}, "a line of this image already"),
        ({"split": at(7, "holdout")}, "a split other than"),
        ({"age": at(7, -7)}, "an age that"),
        ({"image_id": lambda ids: ids[1:]}, "not equally long"),
        ({"sex": at(7, "F\rM")}, "a carriage return"),
    ],
)
def test_predictions_that_could_not_be_read_back_are_refused(changes, said):
    with pytest.raises(PredictionFileError, match=f"^the predictions.*{said}"):
        check(*spoilt(**changes))


def test_predictions_that_cannot_be_scored_are_refused():
    row, content = ROWS["binary"]
    with pytest.raises(ScoringError, match="no test split"):
        check(replace(content, split=np.full(len(content.split), "train")), row.protocol)


def test_counts_that_no_mask_has_are_refused():
    row, content = ROWS["masks"]
    with pytest.raises(PredictionFileError, match="whole number of pixels"):
        check(replace(content, counts=content.counts - 500), row.protocol)


# --- rows that are refused ------------------------------------------------------------------------


def test_a_row_that_contradicts_itself_or_its_predictions_is_not_written(results):
    row, _ = ROWS["binary"]
    elsewhere = a_protocol(row.spec, row.dataset.task.findings, split="another one")
    for refused, ready, said in (
        (structs.replace(row, config_id="a" * 12), checked(), "config_id is"),
        (structs.replace(row, suite="../x"), checked(), "suite"),
        (structs.replace(row, finished=None), checked(), "finished"),
        (a_failed_row(), checked(), "status failed"),
        (row, checked("multilabel"), "are of a multilabel task"),
        (row, checked("masks"), "are of a segmentation task"),
        (ROWS["masks"][0], checked(), "are of a binary task"),
        (structs.replace(row, protocol=elsewhere), checked(), "scored under another protocol"),
    ):
        with pytest.raises(UserError, match=said):
            publish(results, refused, ready)
        assert contents(results.folder) == {}


def test_a_finished_row_is_replaced_only_where_that_is_asked_for(results):
    row, _ = ROWS["binary"]
    made = publish(results, row, checked())
    before, other = contents(results.folder), of_another_run()
    with pytest.raises(UserError, match=r"rows/\w+\.json: there is a finished row already"):
        publish(results, row, other, large={results.weights_path(row.spec_id): b"other"})
    assert contents(results.folder) == before
    again = publish(results, row, other, replace=True)
    assert results.read_row(row.spec_id) == again != made
    assert stored_scores(results, again) == other.scores


@pytest.mark.parametrize("nth", range(5))
def test_a_disk_that_is_full_while_a_row_is_replaced_leaves_all_as_it_was(
    nth, results, monkeypatch
):
    row, _ = ROWS["binary"]
    weights = results.weights_path(row.spec_id)
    publish(results, row, checked(), large={weights: b"weights"})
    before, written, sync = contents(results.folder), count(), os.fsync

    def full(handle):
        if next(written) == nth:
            raise OSError(28, "No space left on device")
        sync(handle)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        publish(results, row, of_another_run(), replace=True, large={weights: b"other"})
    assert contents(results.folder) == before


def test_a_failure_never_replaces_a_finished_row_and_is_replaced_by_one(results):
    row, _ = ROWS["binary"]
    results.write_row(a_failed_row(row.spec))
    made = publish(results, row, checked())
    results.write_row(a_failed_row(row.spec))
    assert results.read_row(row.spec_id) == made


def test_a_damaged_row_is_named_and_replaced_only_where_that_is_asked_for(results):
    row, _ = ROWS["binary"]
    path = results.row_path(row.spec_id)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"{}")
    with pytest.raises(RecordError, match=str(path)):
        publish(results, row, checked())
    made = publish(results, row, checked(), replace=True)
    assert results.read_row(row.spec_id) == made


# --- what a kill or a full disk leaves ------------------------------------------------------------


@pytest.mark.parametrize("renamed", [0, 1, 2])
def test_a_kill_in_between_leaves_no_wrong_number(renamed, results, monkeypatch):
    row, _ = ROWS["binary"]
    made, left, rename = publish(results, row, checked()), [], Path.replace

    def killed(temporary, path):
        if len(left) == renamed:
            raise KeyboardInterrupt
        left.append(path)
        return rename(temporary, path)

    monkeypatch.setattr(Path, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        publish(results, row, of_another_run(), replace=True)
    monkeypatch.undo()
    assert results.read_row(row.spec_id) == made
    scores = stored_scores(results, made)
    assert scores == (of_another_run() if renamed else checked()).scores
    assert (scores.predictions_sha256 == made.predictions_sha256) == (not renamed)
    assert not list(results.folder.rglob("*.tmp"))


@pytest.mark.parametrize("written", [0, 1, 2])
def test_a_full_disk_changes_nothing(written, results, monkeypatch):
    row, _ = ROWS["binary"]
    publish(results, row, checked())
    before, calls = contents(results.folder), []

    def full(descriptor):
        calls.append(descriptor)
        if len(calls) > written:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("benchmark.records.files.os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        publish(results, row, of_another_run(), replace=True)
    assert contents(results.folder) == before


def test_another_seed_is_another_row(results):
    for seed in (0, 1):
        row, content = findings_row(seed=seed)
        publish(results, row, check(content, row.protocol))
    assert {row.spec_id for row in results.rows()} == {a_spec(seed=s).spec_id for s in (0, 1)}
