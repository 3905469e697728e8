"""Results folders of two machines: rows of one spec that are not of one thing are refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from msgspec import structs
from scored_rows import findings_row

from benchmark.cli import main
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
