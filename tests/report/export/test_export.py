"""Tables, predictions and what commands say, out of a results folder into other tools."""

from __future__ import annotations

import csv
import io
import json
import shutil

import pandas as pd
import pytest
from click.testing import CliRunner

from benchmark.cli import main
from benchmark.records.predictions import read_predictions
from benchmark.records.store import Results
from benchmark.report.export.chosen import SIGNS, offers
from benchmark.report.export.dictionary import dictionary
from benchmark.report.export.leaderboard import write
from benchmark.report.leaderboard.board import Leaderboard
from benchmark.scoring.stored import stored_scores
from tests.records.written import write_predictions
from tests.report.compiled_latex import assert_compiles, needs_latex
from tests.report.made_rows import add_row, add_seeds, make_rare, protocol

TWO = ("Mass", "Edema")


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """Two tables: one finding with two models, one of them in two suites; and two findings."""
    results = Results(tmp_path_factory.mktemp("results"))
    add_seeds(results, "cnn", strength=3.0)
    add_seeds(results, "resnet50", strength=1.0, suite="other", spec={"resolution": 224})
    add_row(results, "mlp", failed="it crashed")
    two = protocol("toy/two", TWO, "multilabel")
    add_seeds(results, "linear", shared=two, kind="multilabel")
    return results


def cxr_bench(results, *words) -> tuple[int, str]:
    told = CliRunner().invoke(main, [*map(str, words), "--results", str(results.folder)])
    assert isinstance(told.exception, SystemExit | None), told.exc_info
    return told.exit_code, told.stdout or told.stderr


def lines_of(text: str) -> list[dict]:
    return list(csv.DictReader(io.StringIO(text)))


def test_a_table_has_the_columns_that_are_asked_for_in_their_order(filled):
    words = ("export", "toy/official", "--format", "csv")
    code, said = cxr_bench(filled, *words, "--columns", "resolution,model,test_mcc")
    assert code == 0, said
    lines = lines_of(said)
    assert [*lines[0]][:4] == ["resolution", "model", "test_mcc", "test_mcc_seed_sd"]
    assert {line["test_mcc_low"] for line in lines} == {""}, "it has no interval"
    assert {line["model"]: line["resolution"] for line in lines} == {"cnn": "64", "resnet50": "224"}
    measured = {
        c.spec.model: c.measurements for c in Leaderboard.of(filled).tables[0].configurations
    }
    for line in lines:
        assert float(line["test_mcc"]) == measured[line["model"]]["test_mcc"].mean


def test_every_column_can_be_asked_for_in_every_format(filled):
    offered = list(offers(Leaderboard.of(filled)))
    known = {meaning.name for meaning in dictionary()}
    for each in offered:
        findings = {name for name in each.columns if name.startswith("test_auc:")}
        assert set(each.columns) - findings <= known
        for form in ("csv", "latex", "markdown"):
            names = ",".join(each.columns)
            code, said = cxr_bench(
                filled, "export", each.protocol.id, "--format", form, "--columns", names
            )
            assert code == 0, said


def test_the_dictionary_explains_every_column_of_the_csv_file(filled):
    header = [*lines_of(write(filled).with_name("leaderboard.csv").read_text())[0]]
    known = {meaning.name for meaning in dictionary()}
    of_quantities = {f"{name}_{end}" for name in known for end in ("seed_sd", "low", "high")}
    findings = {f"test_auc:{finding}" for finding in ("pneumonia", *TWO)}
    assert set(header) <= known | of_quantities | findings
    assert all(meaning.meaning for meaning in dictionary())


def test_columns_of_a_csv_file_hold_what_the_leaderboard_s_do(filled, tmp_path):
    filled = Results(shutil.copytree(filled.folder, tmp_path / "results"))
    add_row(filled, "vgg16")  # one seed of three, which people are told in words
    own = lines_of(write(filled).with_name("leaderboard.csv").read_text())
    of_one = [line for line in own if line["dataset"] == "toy/official"]
    offered = next(
        o for o in offers(Leaderboard.of(filled)) if o.protocol.dataset == "toy/official"
    )
    names = [name for name in own[0] if name in offered.columns]
    assert {"model", "seeds", "letters", "resolution", "test_auc"} <= {*names}
    words = ("export", "toy/official", "--format", "csv", "--columns", ",".join(names))
    code, said = cxr_bench(filled, *words)
    assert code == 0, said
    shared = [name for name in own[0] if name in lines_of(said)[0]]
    assert [{n: line[n] for n in shared} for line in lines_of(said)] == [
        {n: line[n] for n in shared} for line in of_one
    ]


def test_several_tables_in_one_file_say_which_is_which(filled):
    code, said = cxr_bench(filled, "export", "--format", "csv", "--columns", "model,seeds")
    assert code == 0, said
    assert {(line["dataset"], line["model"]) for line in lines_of(said)} == {
        ("toy/official", "cnn"),
        ("toy/official", "resnet50"),
        ("toy/two", "linear"),
    }


def test_tables_of_a_builder_are_asked_for_by_its_name(filled):
    _, said = cxr_bench(filled, "export", "toy", "--format", "csv", "--columns", "model")
    assert {line["dataset"] for line in lines_of(said)} == {"toy/official", "toy/two"}


def test_rows_of_one_suite(filled):
    _, said = cxr_bench(filled, "export", "--suite", "other", "--format", "csv")
    assert {line["model"] for line in lines_of(said)} == {"resnet50"}


def test_a_column_of_one_finding_chooses_the_tables_that_have_it(filled):
    _, said = cxr_bench(filled, "export", "--columns", "model,test_auc:Edema")
    assert "linear" in said
    assert "cnn" not in said


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (("toy/offical",), "Did you mean 'toy/official'"),
        (("--columns", "test_acu"), "Did you mean 'test_auc'"),
        (("--suite", "nobody"), "unknown suite with a finished row 'nobody'. Choices: other, toy."),
        (("--format", "word"), "'word' is not one of"),
    ],
)
def test_mistakes_are_explained(filled, words, fault):
    code, said = cxr_bench(filled, "export", *words)
    assert (code, fault in said) == (2, True), said


def test_a_csv_file_says_what_people_are_told_by_signs(filled, tmp_path):
    filled = Results(shutil.copytree(filled.folder, tmp_path / "results"))
    edited = next(row for row in filled.rows() if row.spec.model == "resnet50")
    path = filled.predictions_path(edited.spec_id)
    content = read_predictions(path, "binary")
    content.logits[:] = content.logits[::-1].copy()
    write_predictions(path, content)
    add_seeds(filled, "vit", strength=1.0)  # in a family with cnn
    add_row(filled, "vgg16")
    code, said = cxr_bench(filled, "export", "toy/official", "--format", "csv")
    assert code == 0, said
    told = {line["model"]: line for line in lines_of(said)}
    assert told["resnet50"]["edited_seeds"] == str(edited.spec.seed)
    assert told["cnn"]["edited_seeds"] == ""
    assert (told["cnn"]["provisional"], told["cnn"]["letters"] != "") == ("True", True)
    assert told["vgg16"]["not_ranked_because"].startswith("1 of the 3 seeds")
    own = lines_of(write(filled).with_name("leaderboard.csv").read_text())
    for line in own:
        if line["dataset"] == "toy/official":
            assert {name: line[name] for name in SIGNS} == {
                name: told[line["model"]][name] for name in SIGNS
            }


def test_below_a_table_stand_its_images_and_the_marks_that_are_in_it(filled, tmp_path):
    filled = Results(shutil.copytree(filled.folder, tmp_path / "results"))
    shared = protocol("toy/rare", (*TWO, "rare"), "multilabel")
    make_rare(filled, add_seeds(filled, "linear", shared=shared, kind="multilabel"), "rare")
    edited = next(row for row in filled.rows() if row.spec.model == "resnet50")
    path = filled.predictions_path(edited.spec_id)
    content = read_predictions(path, "binary")
    content.probabilities[:] = content.probabilities[::-1].copy()
    write_predictions(path, content)

    def exported(dataset: str, columns: str, form: str = "markdown") -> tuple[str, str]:
        words = ("export", dataset, "--format", form, "--columns", columns)
        code, said = cxr_bench(filled, *words)
        assert code == 0, said
        last = "|\n" if form == "markdown" else r"\end{tabular}"
        table, _, notes = said.rpartition(last)
        return table, notes

    table, notes = exported("toy/official", "model,test_auc")
    assert "60 images of 30 patients" in notes
    assert "resnet50 †" in table
    assert "† Predictions changed after the run; scored from the file as it is now." in notes
    assert ("§" in table) == ("§ Few patients" in notes)
    assert not set("◊‡–") & set(notes)
    assert "†" not in "".join(exported("toy/official", "resolution"))

    table, notes = exported("toy/rare", "model,test_auc,test_auc:rare")
    assert "mean over 2 of 3 findings: Mass, Edema;" in notes
    assert "rare ‡" in table
    assert "‡ A finding outside the mean" in notes
    assert "mean over 2 findings;" in exported("toy/two", "model,test_auc")[1]

    _, notes = exported("toy/official", "model,test_auc", "latex")
    assert r"\par \dag{} Predictions changed after the run" in notes
    assert r"\par Real images, test: 60 images of 30 patients" in notes


@needs_latex
def test_exported_latex_compiles(filled, tmp_path):
    code, said = cxr_bench(
        filled, "export", "--format", "latex", "--out", tmp_path / "tables.tex",
        "--columns", "model,resolution,preparation,test_auc,gap_auc,seeds,specs,watermarks",
    )  # fmt: skip
    assert code == 0, said
    assert_compiles(tmp_path / "tables.tex")


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_predictions_of_all_seeds_come_out_as_they_are(filled, tmp_path, ending):
    rows = [row for row in filled.rows() if row.spec.model == "cnn" and row.done]
    out = tmp_path / f"cnn.{ending}"
    code, said = cxr_bench(filled, "predictions", rows[0].config_id, "--out", out)
    assert code == 0, said
    text = {"image_id": str, "patient_id": str, "spec_id": str}
    read = pd.read_csv(out, dtype=text) if ending == "csv" else pd.read_parquet(out)
    for row in rows:
        saved = read_predictions(filled.predictions_path(row.spec_id), "binary")
        mine = read[read["spec_id"] == row.spec_id]
        assert set(mine["seed"]) == {row.spec.seed}
        assert mine["image_id"].tolist() == saved.image_id.tolist()
        written = mine["probability:pneumonia"].to_numpy("float32")
        assert (written == saved.probabilities[:, 0]).all()


def test_predictions_of_one_split_and_what_cannot_be_written(filled, tmp_path):
    row = next(row for row in filled.rows() if row.done)
    out = tmp_path / "test.csv"
    assert cxr_bench(filled, "predictions", row.spec_id, "--split", "test", "--out", out)[0] == 0
    assert set(pd.read_csv(out)["split"]) == {"test"}
    code, said = cxr_bench(filled, "predictions", row.spec_id, "--split", "test,tset", "--out", out)
    assert (code, "'tset'. Did you mean 'test'" in said) == (2, True)
    code, said = cxr_bench(filled, "predictions", row.spec_id, "--out", tmp_path / "x.xlsx")
    assert (code, "ends in .csv or .parquet" in said) == (2, True)
    failed = next(row for row in filled.rows() if not row.done)
    code, said = cxr_bench(filled, "predictions", failed.spec_id, "--out", out)
    assert (code, "only finished rows" in said) == (2, True)


def test_show_as_json_holds_the_row_its_scores_and_the_mean(filled):
    rows = [row for row in filled.rows() if row.spec.model == "cnn" and row.done]
    code, said = cxr_bench(filled, "show", rows[0].config_id, "--json")
    assert code == 0, said
    told = json.loads(said)
    assert [row["spec_id"] for row in told["rows"]] == [
        row.spec_id for row in sorted(rows, key=lambda row: row.spec.seed)
    ]
    (mean,) = told["configurations"]
    aucs = [stored_scores(filled, row).splits["test"].metrics["auc"] for row in rows]
    assert mean["measurements"]["test_auc"]["mean"] == pytest.approx(sum(aucs) / 3)
    assert told["rows"][0]["scores"]["splits"]["test"]["metrics"]["auc"] in aucs


def test_a_row_that_failed_is_shown_as_json_too(filled):
    failed = next(row for row in filled.rows() if not row.done)
    told = json.loads(cxr_bench(filled, "show", failed.spec_id, "--json")[1])
    assert told["rows"][0]["error"]["reason"] == "it crashed"
    assert told["configurations"] == []


def test_compare_as_json_says_what_the_terminal_says(filled):
    ids = sorted(
        {r.config_id for r in filled.rows() if r.protocol.dataset == "toy/official" and r.done}
    )
    code, said = cxr_bench(filled, "compare", *ids, "--json")
    assert code == 0, said
    told = json.loads(said)
    assert told["difference"]["auc"]["difference"] == pytest.approx(
        told["A"]["auc"] - told["B"]["auc"]
    )
    assert [told["A"]["config_id"], told["B"]["config_id"]] == ids
    _, shown = cxr_bench(filled, "compare", *ids)
    assert f"{told['difference']['auc']['difference']:+.4f}" in shown
    assert told["auc_of_finding"] == {}


def test_a_seed_is_not_compared_with_its_own_configuration(filled):
    row = next(row for row in filled.rows() if row.done and row.spec.seed == 1)
    for pair in ((row.spec_id, row.config_id), (row.config_id, row.spec_id)):
        code, said = cxr_bench(filled, "compare", *pair)
        assert (code, "is one of the seeds of" in said) == (2, True)


def test_lists_as_json(tmp_path):
    def listed(*words):
        told = CliRunner().invoke(main, ["list", *words, "--json", "--data-dir", str(tmp_path)])
        assert told.exit_code == 0, told.output
        return json.loads(told.stdout)

    every = listed()
    assert set(every) == {"suites", "models", "datasets"}
    assert {"phantom", "reference"} <= {suite["name"] for suite in every["suites"]}
    cards = {model["name"]: model["card"] for model in every["models"]}
    assert cards["cnn"]["parameters"]["count"] > 1000
    states = {dataset["name"]: dataset["state"] for dataset in every["datasets"]}
    assert states["thorax_phantom/default"] == "embedded"
    assert {c["name"] for c in listed("columns")["columns"]} == {m.name for m in dictionary()}
