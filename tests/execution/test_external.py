"""Predictions of another tool in the leaderboard."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from benchmark.cli import main
from benchmark.data.prepared import load_prepared
from benchmark.records.store import Results
from tests.data.claimed_sets import claim

SIZES = {"train": 40, "validation": 40, "test": 60}


@pytest.fixture
def data_dir(tmp_path):
    """A set that only claims to be prepared: its manifest is all that scoring needs."""
    ids = [f"{split}{i:03d}" for split, n in SIZES.items() for i in range(n)]
    lines = pd.DataFrame({"image_id": ids, "split": np.repeat([*SIZES], [*SIZES.values()])})
    number = lines.groupby("split").cumcount()
    lines.insert(1, "patient_id", lines["split"] + number.astype(str))
    lines["sha256"] = number
    lines = lines.assign(width=8, height=8, age=-1, sex="", view="AP", label_source="x")
    lines["target:Pneumonia"], lines["labelled:Pneumonia"] = number % 2, 1
    claim(tmp_path / "data" / "kermany_pneumonia" / "internal" / "1.0.0", lines)
    return tmp_path / "data"


@pytest.fixture
def score(tmp_path, data_dir):
    """Enter lines of predictions; returns exit code, what was said, and the results."""

    def run(lines, *options):
        path = tmp_path / "theirs.csv"
        path.write_text("\n".join(lines) + "\n")
        told = CliRunner().invoke(
            main,
            ["score", str(path), "--dataset", "kermany_pneumonia/internal", *options,
             "--data-dir", str(data_dir), "--results", str(tmp_path / "results")],
        )  # fmt: skip
        return told.exit_code, told.output, Results(tmp_path / "results")

    return run


def lines(splits=("test",), seed=0):
    """Predictions that know something, in an order that is not the data set's."""
    rng = np.random.default_rng(seed)
    made = [
        f"{split}{i:03d},{split},{min(max(0.3 + 0.4 * (i % 2) + 0.2 * rng.normal(), 0), 1):.4f}"
        for split in splits
        for i in rng.permutation(SIZES[split])
    ]
    return ["image_id,split,Pneumonia", *made]


def entry(results):
    content = json.loads((results.folder / "leaderboard.json").read_bytes())
    (found,) = content["configurations"]
    return found


def test_test_predictions_alone_enter_marked_without_gap_and_at_one_half(score):
    code, said, results = score(lines(), "--name", "theirs", "--deterministic")
    assert code == 0, said
    assert "F1 at 0.5" in said
    found = entry(results)
    assert (found["external"], found["group"], found["model"]) == (True, 1, "theirs")
    assert found["measurements"]["gap_auc"]["mean"] is None
    assert 0.8 < found["measurements"]["test_auc"]["mean"] < 1
    table = (results.folder / "LEADERBOARD.md").read_text()
    assert "| theirs ◊ |" in table
    assert "no validation split to choose a threshold on: theirs" in table
    assert "not known" in table  # the hardware


def test_targets_and_order_come_from_the_data_set(score, data_dir):
    _, _, results = score(lines())
    (row,) = results.rows()
    from benchmark.records.predictions import read_predictions

    test = read_predictions(results.predictions_path(row.spec_id), "binary")
    part = load_prepared("kermany_pneumonia/internal", data_dir).part("test")
    assert test.image_id.tolist() == part.image_id.tolist()
    assert test.targets[:, 0].tolist() == part.targets[:, 0].tolist()
    given = dict(line.split(",")[::2] for line in lines()[1:])
    assert [f"{p:.4f}" for p in test.probabilities[:, 0]] == [given[i] for i in test.image_id]


def test_all_splits_give_thresholds_and_a_gap_and_three_seeds_are_ranked(score):
    for seed in range(3):
        code, said, results = score(lines(SIZES, seed), "--name", "theirs", "--seed", str(seed))
        assert code == 0, said
        assert "at 0.5" not in said
    found = entry(results)
    assert (found["seeds"], found["group"]) == ([0, 1, 2], 1)
    assert found["measurements"]["gap_auc"]["mean"] is not None


def test_one_seed_is_shown_and_not_ranked(score):
    code, _, results = score(lines(), "--name", "theirs")
    assert code == 0
    found = entry(results)
    assert found["group"] is None
    assert "1 of the 3 seeds" in found["not_ranked_because"]


def test_a_new_file_takes_the_place_of_an_entry_only_where_that_is_asked_for(score):
    _, _, results = score(lines(), "--name", "theirs")
    (before,) = results.rows()
    kept = results.predictions_path(before.spec_id).read_bytes()
    code, said, _ = score(lines(seed=5), "--name", "theirs")
    assert (code, "there is a finished row already" in said) == (2, True)
    assert list(results.rows()) == [before]
    assert results.predictions_path(before.spec_id).read_bytes() == kept
    code, said, _ = score(lines(seed=5), "--name", "theirs", "--replace")
    assert code == 0, said
    (after,) = results.rows()
    assert after.spec_id == before.spec_id
    assert after.predictions_sha256 != before.predictions_sha256


def test_other_images_are_refused_with_how_many_and_which(score):
    changed = lines()
    lost = changed.pop(7).split(",")[0]
    changed[3] = "elsewhere7,test,0.5"
    code, said, results = score(changed)
    assert code == 2
    assert "2 missing" in said
    assert lost in said
    assert "1 not in it ('elsewhere7')" in said
    assert not list(results.rows())


def test_a_partial_train_split_is_refused_too(score):
    some = lines(("train",))[1:10]
    code, said, _ = score([*lines(), *some])
    assert (code, "its train images" in said) == (2, True)


def test_a_name_that_is_none_is_refused(score):
    code, said, _ = score(lines(), "--name", "../cnn")
    assert (code, "no name for a model" in said) == (2, True)
