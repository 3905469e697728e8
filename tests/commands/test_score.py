"""Predictions of another tool in the leaderboard: what is taken, and as what."""

from __future__ import annotations

import gzip
import io
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from benchmark.cli import main
from benchmark.data.prepared import load_prepared
from benchmark.hashing import sha256
from benchmark.records.predictions import read_predictions
from benchmark.report.gathering.thresholds import why_fixed
from tests.commands.conftest import SET, SIZES, Score, lines, table
from tests.data.claimed_sets import claim, some_lines

HERE = Path("theirs.csv")


def entry(score):
    content = json.loads((score.results.folder / "leaderboard.json").read_bytes())
    (found,) = content["configurations"]
    return found


def enter(score, content, *options):
    """Enter one file; returns what was said."""
    told = score(score.write("theirs.csv", content), *options)
    assert told.code == 0, told.said
    return told.said


def test_test_predictions_alone_enter_marked_without_gap_and_at_one_half(score):
    assert "F1 at 0.5" in enter(score, lines(), "--deterministic")
    found = entry(score)
    assert (found["external"], found["model"]) == (True, "theirs")
    assert found["measurements"]["gap_auc"]["mean"] is None
    assert 0.8 < found["measurements"]["test_auc"]["mean"] < 1
    assert found["not_ranked_because"] is None
    board = (score.results.folder / "LEADERBOARD.md").read_text()
    assert "| theirs ◊ |" in board
    assert "no predictions of validation images to choose a threshold on: theirs" in board
    assert "not known" in board  # the hardware


def test_targets_and_order_come_from_the_data_set(score):
    enter(score, lines())
    (row,) = score.results.rows()
    test = read_predictions(score.results.predictions_path(row.spec_id), "binary")
    part = load_prepared(SET, score.data_dir).part("test")
    assert test.image_id.tolist() == part.image_id.tolist()
    assert test.targets[:, 0].tolist() == part.targets[:, 0].tolist()
    given = dict(line.split(",")[::2] for line in lines()[1:])
    assert [f"{p:.4f}" for p in test.probabilities[:, 0]] == [given[i] for i in test.image_id]


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_other_delimiters_are_taken_and_decimal_commas_are_not(score, delimiter):
    text = table(SIZES).rename(columns={"Pneumonia": "logit:Pneumonia"}).assign(note="a, b")
    text["logit:Pneumonia"] *= 10
    enter(score, text.to_csv(index=False, sep=delimiter))
    given = text[text["split"] == "test"].set_index("image_id")["logit:Pneumonia"]
    (row,) = score.results.rows()
    test = read_predictions(score.results.predictions_path(row.spec_id), "binary").part("test")
    assert test.logits[:, 0].tolist() == given.loc[test.image_id].astype(np.float32).tolist()
    told = score(score.write("comma.csv", text.to_csv(index=False, sep=delimiter, decimal=",")))
    assert (told.code, "a decimal comma? write 0.5" in told.said) == (2, True), told.said


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig", "utf-32"])
def test_what_spreadsheets_save_is_read(score, encoding):
    """\"Unicode text\" of Excel: UTF-16, tabs between cells, lines that end in CR LF."""
    plain = score("--check", score.write("plain.csv", lines()))
    text = "\r\n".join(line.replace(",", "\t") for line in lines()) + "\r\n"
    for data in (text.encode(encoding), gzip.compress(text.encode(encoding))):
        told = score("--check", score.write("theirs.txt", data), "--name", "plain")
        assert told.said == plain.said.replace("plain.csv", "theirs.txt"), told.said
    spoilt = "\r\n".join([*text.splitlines()[:4], "test003\ttest\thigh"]).encode(encoding)
    assert "line 5: " in score("--check", score.write("theirs.txt", spoilt)).said


def test_several_seeds_are_entered_in_one_call(score):
    files = [score.write(f"{seed}.csv", lines(SIZES, seed)) for seed in range(3)]
    told = score(*files, "--name", "theirs")
    assert told.code == 0, told.said
    assert "at 0.5" not in told.said
    found = entry(score)
    assert found["seeds"] == [0, 1, 2]
    assert found["not_ranked_because"] is None
    assert found["measurements"]["gap_auc"]["mean"] is not None


def test_seeds_may_be_named_and_come_one_by_one(score):
    for seed in (7, 5):
        enter(score, lines(seed=seed), "--seed", seed)
    assert entry(score)["seeds"] == [5, 7]
    assert "2 of the " in entry(score)["not_ranked_because"]


def test_a_new_file_takes_the_place_of_an_entry_where_that_is_asked_for(score):
    enter(score, lines())
    (before,) = score.results.rows()
    enter(score, lines(seed=5), "--replace")
    (after,) = score.results.rows()
    assert after.spec_id == before.spec_id
    assert after.predictions_sha256 != before.predictions_sha256


def as_npz(frame: pd.DataFrame, save=np.savez) -> bytes:
    file = io.BytesIO()
    text = {name: frame[name].to_numpy(str) for name in ("image_id", "split")}
    save(file, **text, Pneumonia=frame["Pneumonia"].to_numpy())
    return file.getvalue()


FORMATS = {
    "csv": lambda frame: frame.to_csv(index=False).encode(),
    "csv.gz": lambda frame: gzip.compress(frame.to_csv(index=False).encode()),
    "csv with a byte order mark": lambda frame: frame.to_csv(index=False).encode("utf-8-sig"),
    "csv of Windows": lambda frame: frame.to_csv(index=False, lineterminator="\r\n").encode(),
    "parquet": lambda frame: frame.to_parquet(index=False),
    "parquet with an index": lambda frame: frame.to_parquet(index=True),
    "parquet of categories": lambda f: f.astype({"split": "category"}).to_parquet(index=False),
    "npz": as_npz,
    "npz, compressed": lambda frame: as_npz(frame, np.savez_compressed),
    "npz of bytes": lambda frame: as_npz(
        frame, lambda file, split, **rest: np.savez(file, split=split.astype("S"), **rest)
    ),
}


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_gives_the_same_predictions(form, score):
    enter(score, FORMATS["csv"](table(SIZES)), "--name", "csv")
    score.write("theirs.csv", FORMATS[form](table(SIZES)))  # what it is, its content says
    told = score(HERE, "--name", "other")
    assert told.code == 0, told.said
    first, second = score.results.rows()
    assert first.predictions_sha256 == second.predictions_sha256


def test_check_says_that_a_file_would_be_taken_and_writes_nothing(score):
    told = score("--check", score.write("theirs.csv", lines(SIZES)))
    assert told.code == 0
    assert "theirs.csv would be taken: theirs, seed 0" in told.said
    assert "40 train, 40 validation, 60 test images" in told.said
    assert "\n  AUC" not in told.said
    assert not score.results.folder.exists()


def test_the_template_is_taken_once_it_is_filled_in(score):
    told = score("--template", SET, HERE, dataset="")
    assert told.code == 0, told.said
    template = pd.read_csv(score.folder / HERE, dtype=str)
    assert [*template] == ["image_id", "split", "logit:Pneumonia"]
    assert len(template) == sum(SIZES.values())
    refused = score("--check", HERE)
    assert (refused.code, "line 2: logit:Pneumonia is not a finite" in refused.said) == (2, True)
    known = table(SIZES).set_index("image_id")["Pneumonia"]
    filled = template.assign(**{"logit:Pneumonia": 4 * known[template["image_id"]].to_numpy() - 2})
    enter(score, filled.to_csv(index=False))


def test_ids_that_begin_as_formulas_stand_in_a_template_as_texts_and_are_known_again(tmp_path):
    lines = some_lines(6, "Pneumonia")
    ids = [f"{sign}{k}!" for k, sign in enumerate("=+-@xy" * 3)]
    claim(tmp_path / "data" / SET / "1.0.0", lines.assign(image_id=ids))
    score = Score(tmp_path)
    assert score("--template", SET, HERE, dataset="").code == 0
    template = pd.read_csv(score.folder / HERE, dtype=str)
    assert template["image_id"].tolist() == [i if i[0] in "xy" else f"'{i}" for i in ids]
    for frame in (template, template.assign(image_id=ids)):
        filled = frame.assign(**{"logit:Pneumonia": np.resize([0.5, -2.0, 3.0], len(frame))})
        score.write("filled.csv", filled.to_csv(index=False))
        told = score("--check", Path("filled.csv"))
        assert "would be taken" in told.said, told.said


@pytest.mark.parametrize(
    ("form", "first", "longest"), [("csv", "=", 1014), ("parquet", "x", 1013), ("npz", "x", 1013)]
)
def test_a_template_is_taken_whatever_the_length_of_its_ids(form, first, longest, tmp_path):
    score = Score.on_a_set(tmp_path, prefix=first + "x" * 999)
    assert score("--template", SET, HERE, dataset="").code == 0
    filled = pd.read_csv(score.folder / HERE, dtype=str).drop(columns="logit:Pneumonia")
    filled["Pneumonia"] = np.linspace(0.1, 0.9, len(filled))
    enter(score, FORMATS[form](filled))
    longer = filled.assign(image_id=filled["image_id"] + "x" * 9)
    told = score(score.write("longer.csv", FORMATS[form](longer)))
    assert (told.code, f"texts of more than {longest} characters" in told.said) == (2, True), (
        told.said
    )


def test_a_template_takes_the_place_of_no_file(score):
    score.write("theirs.csv", lines())
    told = score("--template", SET, HERE, dataset="")
    assert (told.code, "is there already" in told.said) == (2, True)
    assert (score.folder / HERE).read_text().splitlines() == lines()


@pytest.mark.parametrize("beside", [("--check",), ("--name", "x"), ("--replace",), ("--seed", "1")])
def test_what_a_template_leaves_without_meaning_is_refused(beside, score):
    told = score("--template", SET, HERE, *beside, dataset="")
    assert (told.code, f"--template does not go with {beside[0]}" in told.said) == (2, True)
    assert not (score.folder / HERE).exists()


def test_a_template_has_a_name_of_its_own(score, monkeypatch):
    monkeypatch.chdir(score.folder)
    assert score("--template", SET, dataset="").code == 0
    assert (score.folder / "kermany_pneumonia_internal.csv").is_file()


def test_probabilities_that_lost_their_precision_are_warned_of(score):
    rounded = table().assign(Pneumonia=lambda f: f["Pneumonia"].round().astype(int))
    said = enter(score, rounded.to_csv(index=False))
    assert "Warning: probabilities within 0.001 of 0 or 1" in said
    assert "Pneumonia (60 images)" in said
    assert "Warning" not in enter(score, lines(), "--name", "other")


def test_scores_that_only_images_of_several_splits_share_lost_nothing(score):
    shared = table(SIZES).assign(Pneumonia=lambda f: f.groupby("split").cumcount() / 1e6)
    assert "Warning" not in enter(score, shared.to_csv(index=False))


def test_scores_of_the_other_class_are_asked_about(score):
    swapped = table().assign(Pneumonia=lambda f: 1 - f["Pneumonia"])
    said = enter(score, swapped.to_csv(index=False))
    assert "AUC is surely below 0.5: are these the scores of the other class?" in said
    assert "other class" not in enter(score, lines(), "--name", "other")


@pytest.mark.parametrize("ends", [(0, 1), (0.2, 0.7)])
def test_decisions_are_shown_and_not_ranked(ends, score):
    files = []
    for seed in range(3):
        frame = table(SIZES, seed)
        frame["Pneumonia"] = np.where(frame["Pneumonia"] > 0.5, *ends[::-1])
        files.append(score.write(f"{seed}.csv", frame.to_csv(index=False)))
    told = score(*files, "--name", "theirs")
    why = "it has two different scores, as decisions have, too few for an AUC to rank it"
    assert (told.code, f"not ranked: {why}" in told.said) == (0, True), told.said
    assert entry(score)["not_ranked_because"] == why


@pytest.mark.parametrize(("votes", "told"), [(3, True), (9, True), (10, False)])
def test_shares_of_votes_are_ranked_and_told_how_many_there_are(votes, told, score):
    files = []
    for seed in range(3):
        frame = table(SIZES, seed)
        frame["Pneumonia"] = (votes * frame["Pneumonia"]).round() / votes
        files.append(score.write(f"{seed}.csv", frame.to_csv(index=False)))
    said = score(*files, "--name", "theirs")
    note = f"{votes + 1} different scores, as shares of votes have: images with the same one rank"
    assert (said.code, note in " ".join(said.said.split())) == (0, told), said.said
    assert entry(score)["not_ranked_because"] is None
    shown = (score.results.folder / "LEADERBOARD.md").read_text()
    assert (note in shown) == told


def test_what_is_known_of_the_model_stands_in_the_row(score):
    enter(score, lines(), "--reference", "Somebody 2020", "--parameters", 7)
    (row,) = score.results.rows()
    assert (row.model.reference, row.model.parameters) == ("Somebody 2020", 7)
    assert row.external.sha256 == sha256((score.folder / HERE).read_bytes())


def shown(score) -> str:
    """What `show` says of the one entry."""
    (row,) = score.results.rows()
    words = ["show", row.spec_id, "--results", str(score.results.folder)]
    told = CliRunner().invoke(main, words)
    assert told.exit_code == 0, told.output
    return told.output


def test_its_page_says_what_is_known_of_it_and_not_what_is_of_this_machine(score):
    enter(score, lines())
    said = shown(score)
    assert "Decided at 0.5, no predictions of validation images to choose a threshold on\n" in said
    assert "there is no validation split" not in said
    assert f"theirs.csv, SHA-256 {sha256((score.folder / HERE).read_bytes())}, of test" in said
    for text in ("Packages", "Backend", "Hardware", "\n  Code ", "Weights  "):
        assert text not in said
    assert re.search(r"\n  Scored with +cxr-bench ", said)
    assert re.search(r"\n  Versions +kind 1\n", said)


def test_a_set_without_validation_split_is_said_to_have_none(score):
    enter(score, lines())
    (row,) = score.results.rows()
    assert why_fixed(row) == "no predictions of validation images"
    counts = {split: row.counts[split] for split in ("train", "test")}
    assert why_fixed(replace(row, counts=counts)) == "there is no validation split"
