"""Results folders of two machines: rows of one spec that are not of one thing are refused."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from msgspec import structs
from scored_rows import findings_row

from benchmark.cli import main
from benchmark.hashing import sha256
from benchmark.records.predictions import Predictions
from benchmark.records.row import Row
from benchmark.records.store import Results
from benchmark.scoring.digest import test_digest as digest_of
from benchmark.scoring.merging import TAKEN, merge
from benchmark.scoring.publishing import check, publish
from tests.records.rows import a_protocol, counts_of

Made = tuple[Row, Predictions]


def of_their_images(row: Row, content: Predictions) -> Made:
    """The row as a run on exactly these images and targets would have it."""
    digest = digest_of(content, row.protocol)
    protocol = a_protocol(row.spec, content.findings, test_digest=digest)
    counts = row.counts | counts_of(content)
    return structs.replace(row, protocol=protocol, counts=counts), content


def with_other_code(row: Row, content: Predictions) -> Made:
    return structs.replace(row, code=row.code | {"training": "0"}), content


def with_other_data(row: Row, content: Predictions) -> Made:
    """A training image has the other label."""
    targets = content.targets.copy()
    image = np.argmax(content.split == "train")
    targets[image] = 1 - targets[image]
    return of_their_images(row, replace(content, targets=targets))


def with_other_targets(row: Row, content: Predictions) -> Made:
    """One diseased image and a healthy one change places: no count tells it."""
    targets = content.targets.copy()
    (sick, *_), (well, *_) = (
        np.flatnonzero((content.split == "test") & (targets[:, 0] == known)) for known in (1, 0)
    )
    targets[[sick, well]] = targets[[well, sick]]
    return of_their_images(row, replace(content, targets=targets))


CHANGES = {
    "code": with_other_code,
    "data": with_other_data,
    "targets or test images": with_other_targets,
}


@pytest.mark.parametrize("what", CHANGES)
def test_rows_of_one_spec_that_differ_in_more_than_numbers_are_refused_by_name(what, tmp_path):
    here = of_their_images(*findings_row())
    there = CHANGES[what](*here)
    assert (there[0].counts == here[0].counts) == (what != "data")
    paths = []
    for name, (row, content) in {"here": here, "there": there}.items():
        results = Results(tmp_path / name)
        publish(results, row, check(content, row.protocol))
        paths.append(results.row_path(row.spec_id))
    folders = [str(tmp_path / name) for name in ("here", "there")]
    target = tmp_path / "target"
    told = CliRunner().invoke(main, ["merge", *folders, "--results", str(target)])
    assert told.exit_code == 2
    text = " ".join(told.output.split())
    assert all(str(path) in text for path in paths)
    assert f"were made with other {what}. Nothing was merged" in text
    assert not target.exists()


@pytest.mark.parametrize("name", ["rows", "weights", "cross"])
def test_nothing_is_merged_into_a_folder_through_links(name, tmp_path):
    source, target, elsewhere = (tmp_path / each for each in ("source", "target", "elsewhere"))
    row, content = findings_row()
    publish(Results(source), row, check(content, row.protocol))
    for folder in (target, elsewhere):
        folder.mkdir()
    (target / name).symlink_to(elsewhere)
    told = CliRunner().invoke(main, ["merge", str(source), "--results", str(target)])
    assert (told.exit_code, [*elsewhere.iterdir()]) == (2, [])
    assert "leads to another folder" in " ".join(told.output.split())
    assert not [*Results(target).rows()]


def test_a_folder_of_evaluations_alone_is_merged(tmp_path):
    known = Results(Path(__file__).parents[2] / "results").cross
    row, *_ = known.rows()
    there, target = (Results(tmp_path / name) for name in ("there", "target"))
    for path in (known.row_path(row.spec_id), known.predictions_path(row.spec_id)):
        copy = there.cross.folder / path.relative_to(known.folder)
        copy.parent.mkdir(parents=True)
        copy.write_bytes(path.read_bytes())
    assert merge([there.folder], target.folder) == {TAKEN: 1}
    assert [each.spec_id for each in target.cross.rows()] == [row.spec_id]
    assert not [*target.rows()]


# --- weights, masks and maps ----------------------------------------------------------------------

LARGE = ("weights_path", "masks_path", "anomaly_path")


def place(results: Results, name: str, spec_id: str, data: bytes) -> Path:
    """Write a large file of a row."""
    path = getattr(results, name)(spec_id)
    path.parent.mkdir()
    path.write_bytes(data)
    return path


def a_pair(folder: Path, weights: bytes = b"weights") -> tuple[Results, Results, Row]:
    """One row that saved these weights, in two folders that have none: as it is published."""
    row, content = findings_row()
    row = structs.replace(row, weights_sha256=sha256(weights))
    both = Results(folder / "published"), Results(folder / "here")
    for results in both:
        made = publish(results, row, check(content, row.protocol))
    return *both, made


def content_of(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def damage(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-9])


@pytest.mark.parametrize("name", LARGE)
def test_a_row_that_is_mended_keeps_its_large_files_where_the_other_folder_has_none(name, tmp_path):
    published, here, row = a_pair(tmp_path)
    path = place(here, name, row.spec_id, b"weights")
    predictions = here.predictions_path(row.spec_id)
    damage(predictions)
    assert merge([published.folder], here.folder) == {TAKEN: 1}
    assert path.read_bytes() == b"weights"
    assert sha256(predictions.read_bytes()) == row.predictions_sha256


def test_weights_are_known_by_their_hash_where_the_row_is_damaged(tmp_path):
    published, here, row = a_pair(tmp_path)
    path = place(here, "weights_path", row.spec_id, b"weights")
    damage(here.row_path(row.spec_id))
    assert merge([published.folder], here.folder) == {TAKEN: 1}
    assert path.read_bytes() == b"weights"
    assert here.read_row(row.spec_id) == row


def test_weights_that_are_not_those_of_the_row_are_not_taken(tmp_path):
    published, here, row = a_pair(tmp_path)
    place(published, "weights_path", row.spec_id, b"of a run that failed")
    path = place(here, "weights_path", row.spec_id, b"weights")
    damage(here.predictions_path(row.spec_id))
    assert merge([published.folder], here.folder) == {TAKEN: 1}
    assert path.read_bytes() == b"weights"


@pytest.fixture
def earlier(tmp_path) -> tuple[Results, Results, str]:
    """A row, and the same of an earlier run with other numbers in another folder."""
    row, content = findings_row()
    logits = content.logits * 1.5
    runs = {
        "there": ("2000-01-01T00:00:00+00:00", replace(content, logits=logits), b"earlier"),
        "here": (row.finished, content, b"later"),
    }
    for name, (finished, said, weights) in runs.items():
        changes = {"finished": finished, "weights_sha256": sha256(weights)}
        publish(
            Results(tmp_path / name), structs.replace(row, **changes), check(said, row.protocol)
        )
    return Results(tmp_path / "there"), Results(tmp_path / "here"), row.spec_id


@pytest.mark.parametrize("name", LARGE)
def test_what_the_row_that_gives_way_left_goes_or_gives_way(name, earlier):
    there, here, spec_id = earlier
    path = place(here, name, spec_id, b"later")
    merge([there.folder], here.folder)
    assert not path.exists()


@pytest.mark.parametrize("name", LARGE)
def test_large_files_come_with_their_row(name, earlier):
    there, here, spec_id = earlier
    place(there, name, spec_id, b"earlier")
    path = place(here, name, spec_id, b"later")
    merge([there.folder], here.folder)
    assert path.read_bytes() == b"earlier"


def test_a_disk_that_is_full_leaves_the_row_and_its_weights(earlier, monkeypatch):
    there, here, spec_id = earlier
    place(there, "weights_path", spec_id, b"earlier")
    place(here, "weights_path", spec_id, b"later")
    here.check_writable()
    before = content_of(here.folder)

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        merge([there.folder], here.folder)
    assert content_of(here.folder) == before
