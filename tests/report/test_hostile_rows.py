"""Rows from somebody else, sealed as ours are: shown so that nothing in them acts, or left out."""

from __future__ import annotations

import csv
import gzip
import re

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from msgspec import ValidationError
from msgspec.structs import replace

from benchmark.api import load_predictions, load_results
from benchmark.cli import main
from benchmark.records.door import sealed
from benchmark.records.predictions import read_predictions
from benchmark.records.run_facts import (
    Failure,
    Screened,
    ScreeningFacts,
    ScreeningRule,
    StartingWeights,
)
from benchmark.records.store import Results
from benchmark.report.render.csv import frame_text
from benchmark.training.starting_weights import check_saved_weights
from benchmark.training.weight_files import MissingWeights
from tests.report import made_rows
from tests.report.made_rows import TRAINED, make_spec, protocol

ACTING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]")
NUMBER = re.compile(r"-?[0-9.]+(e-?[0-9]+)?")
BAD = "\x1b]0;title\x07\u202e" + "x" * 200_000


def run(*words: str, results: Results):
    done = CliRunner().invoke(main, [*words, "--results", str(results.folder)])
    assert isinstance(done.exception, SystemExit | None), done.exc_info
    assert not ACTING.search(done.output)
    assert max(map(len, done.output.split("\n"))) < 5000
    return done


def board(results: Results) -> str:
    assert run("leaderboard", results=results).exit_code == 0
    return (results.folder / "LEADERBOARD.md").read_text()


def test_a_recipe_that_lacks_its_optimizer_is_said(results, add):
    recipe = {key: value for key, value in TRAINED["recipe"].items() if key != "optimizer"}
    add("cnn", spec={"recipe": recipe})
    assert "Trained by a recipe that does not say its optimizer" in board(results)


def test_a_scheme_that_is_not_known_here_is_a_name_as_any_other(results, add):
    began = StartingWeights(files=[], source={"imagenet": "somewhere, MIT"}, features="")
    spec = {"scheme": "of_tomorrow", "weights": "imagenet"}
    add("cnn", spec=spec, starting_weights=began)
    assert "| imagenet (of_tomorrow) |" in board(results)
    for words in (["report"], ["figures"], ["export"]):
        assert run(*words, results=results).exit_code == 0


@pytest.mark.parametrize(
    ("key", "value"), [("epochs", "many"), ("batch_size", 0), ("warmup_share", -1.0)]
)
def test_a_recipe_with_no_number_for_one_is_left_out(results, add, monkeypatch, key, value):
    monkeypatch.setattr("benchmark.records.row._odd_number", lambda recipe: "")
    row = add("cnn", spec={"recipe": {**TRAINED["recipe"], key: value}})
    add("mlp")
    monkeypatch.undo()
    said = board(results)
    assert f"rows/{row.spec_id}.json: its recipe's {key} cannot be '{value}'" in said
    assert "1 configurations in 1 finished runs" in said


def test_screening_facts_that_lack_a_way_are_refused():
    ways = dict.fromkeys(("score", "confidence", "either"), Screened(sensitivity=1, specificity=1))
    facts = ScreeningFacts(
        images=1, map=[1, 1], channels=1, temperature=1.0, normal_passed=1.0,
        rule=ScreeningRule(score=1, confidence=1), validation=ways, test=ways,
    )  # fmt: skip
    with pytest.raises((ValueError, ValidationError), match="lacks one of them"):
        replace(facts, test={"other": ways["score"]})


def test_the_text_of_an_exception_is_cut_and_does_nothing(results, add):
    add("cnn")
    row = add("mlp", failed=BAD, error=Failure(reason=BAD, detail=BAD))
    run("show", row.spec_id, results=results)
    run("compare", row.spec_id, row.spec_id, results=results)
    assert len(board(results)) < 40_000
    assert not ACTING.search((results.folder / "LEADERBOARD.md").read_text())


@pytest.mark.parametrize("name", ["=HYPERLINK(1)", BAD])
def test_a_row_of_a_name_that_nothing_can_have_is_left_out_and_named(results, add, name):
    add("cnn")
    shared = protocol()
    odd = made_rows.row(make_spec(name, 0, shared, {}), shared, "binary")
    results.row_path(odd.spec_id).write_bytes(sealed(odd))
    said = board(results)
    assert f"rows/{odd.spec_id}.json: not a readable record" in said
    assert "1 configurations in 1 finished runs" in said
    for text in (said, (results.folder / "leaderboard.csv").read_text()):
        assert name not in text


def test_texts_of_a_table_do_nothing(results, add, make_protocol):
    acts = BAD[:20]
    recipe = TRAINED["recipe"] | {"name": acts, "schedule": acts}
    add("cnn", shared=make_protocol(findings=[acts], split=acts), spec={"recipe": recipe})
    board(results)
    assert run("export", "--format", "csv", results=results).exit_code == 0
    assert not ACTING.search((results.folder / "leaderboard.csv").read_text())


def test_no_cell_of_a_csv_file_is_a_formula_and_programs_get_the_names(results, add, tmp_path):
    names = ["=1+1", "+SUM(A1)", "-x", "@y"]
    view = np.resize([*names, "'=", "-12", ""], 190)
    shared = protocol(findings=names, kind="multilabel", split="=2", label_version="@z")
    row = add("cnn", shared=shared, kind="multilabel", people={"view": view})
    board(results)
    exported, said = tmp_path / "export.csv", tmp_path / "said.csv"
    run("export", "--format", "csv", "--out", str(exported), results=results)
    run("predictions", row.spec_id, "--out", str(said), results=results)
    stored = gzip.decompress(results.predictions_path(row.spec_id).read_bytes()).decode()
    files = [results.folder / "leaderboard.csv", exported, said]
    for text in (stored, *(file.read_text() for file in files)):
        cells = {cell for line in csv.reader(text.splitlines()) for cell in line}
        assert cells
        assert not {c for c in cells if re.match("[=+@-]", c) and not NUMBER.fullmatch(c)}
    assert {"'=1+1", "''=", "-12"} <= cells
    content = read_predictions(results.predictions_path(row.spec_id), "multilabel")
    assert content.view.tolist() == view.tolist()
    assert load_predictions(row.spec_id, results.folder)["view"].tolist() == view.tolist()
    told = load_results(results.folder).to_numpy().ravel()
    assert not [text for text in told if isinstance(text, str) and text.startswith("'")]


def test_predictions_in_csv_do_nothing_and_in_parquet_are_as_they_are(results, add, tmp_path):
    view = np.array(["PA", "\x1b[31mred"] * 95)
    row = add("cnn", people={"view": view})
    for name in ("x.csv", "x.parquet"):
        run("predictions", row.spec_id, "--out", str(tmp_path / name), results=results)
    written = (tmp_path / "x.csv").read_text()
    assert not ACTING.search(written)
    assert written.count("\N{REPLACEMENT CHARACTER}[31mred") == 95
    assert pd.read_parquet(tmp_path / "x.parquet")["view"].tolist() == view.tolist()
    read = pd.read_csv(tmp_path / "x.csv").drop(columns="view")
    assert [*read.columns] == [*pd.read_parquet(tmp_path / "x.parquet").drop(columns="view")]


def test_the_names_of_columns_do_nothing():
    frame = pd.DataFrame({"\x1b[31m": [0.123456789012], "é": ["a\x07,b"]})
    assert frame_text(frame, "%.3g") == '\ufffd[31m,é\n0.123,"a\ufffd,b"\n'


def test_errors_name_what_was_given_so_that_it_does_nothing(tmp_path):
    done = run("show", "\x1b[31mred", results=Results(tmp_path / "\x1b[31m"))
    assert done.exit_code == 2
    assert "\N{REPLACEMENT CHARACTER}[31m" in done.output


def test_nothing_is_written_through_a_link_to_another_folder(results, add_seeds, tmp_path):
    add_seeds("cnn")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for name in ("scores", "influences", "intervals", "comparisons"):
        (results.folder / name).symlink_to(elsewhere)
    before = board(results)
    assert not any(elsewhere.iterdir())
    assert board(results) == before


LINKED = {
    "scores": ("leaderboard", "--recompute"),
    "report/rows": ("report",),
    "report": ("figures",),
}


@pytest.mark.parametrize("name", LINKED)
def test_a_link_is_written_through_only_where_a_person_names_it(name, results, add, tmp_path):
    add("cnn")
    link, elsewhere = results.folder / name, tmp_path / "elsewhere"
    elsewhere.mkdir()
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(elsewhere)
    done = run(*LINKED[name], results=results)
    assert (done.exit_code, [*elsewhere.iterdir()]) == (2, [])
    assert re.search(rf"{link}\S* leads to another folder", done.output)
    if "figures" in LINKED[name]:
        assert run(*LINKED[name], "--out", str(link), results=results).exit_code == 0


def test_merge_takes_no_links(results, add, tmp_path):
    row = add("cnn")
    secret = tmp_path / "secret"
    secret.write_text("secret")
    for path in (results.weights_path(row.spec_id), results.scores_path(row.spec_id)):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(secret)
    into = Results(tmp_path / "into")
    assert run("merge", str(results.folder), results=into).exit_code == 0
    assert [each.spec_id for each in into.rows()] == [row.spec_id]
    texts = [path.read_bytes() for path in into.folder.rglob("*") if path.is_file()]
    assert b"secret" not in texts


def test_merge_leaves_out_what_is_damaged_and_mends_the_target(results, add, tmp_path):
    kept, damaged, edited = (add(model) for model in ("cnn", "mlp", "linear"))
    into = Results(tmp_path / "into")
    assert run("merge", str(results.folder), results=into).exit_code == 0
    path = into.predictions_path(kept.spec_id)
    before = path.read_bytes()
    path.write_bytes(before[:-9])
    results.row_path(damaged.spec_id).write_bytes(b"{")
    data = gzip.decompress(results.predictions_path(edited.spec_id).read_bytes())
    results.predictions_path(edited.spec_id).write_bytes(gzip.compress(data.replace(b"1", b"2")))
    done = run("merge", str(results.folder), results=into)
    assert done.exit_code == 0
    assert "2 rows damaged, or with other predictions than theirs: left out" in done.output
    assert "1 rows taken" in done.output
    assert path.read_bytes() == before
    assert len(list(into.rows())) == 3


def test_weights_of_a_size_that_none_have_are_neither_hashed_nor_copied(results, add, tmp_path):
    row = add("cnn", weights_sha256="0" * 64)
    path = results.weights_path(row.spec_id)
    path.parent.mkdir()
    with path.open("wb") as file:
        file.truncate(1 << 42)
    with pytest.raises(MissingWeights, match=f"{path} holds 4398 GB"):
        check_saved_weights(row, path)
    into = Results(tmp_path / "into")
    assert run("merge", str(results.folder), results=into).exit_code == 0
    assert not into.weights_path(row.spec_id).exists()
