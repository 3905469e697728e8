"""Rows found, shown and compared at the command line."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from benchmark.cli import main
from benchmark.commands.show import _show_gap
from benchmark.errors import UserError
from benchmark.records.facts import PATIENTS_UNKNOWN
from benchmark.records.predictions import read_predictions
from benchmark.report.comparing.lookup import find
from benchmark.report.comparing.paired import Pair
from benchmark.report.html.row_tables import training_in_words
from benchmark.scoring import influence
from benchmark.scoring.part import Part
from benchmark.scoring.ranking import Entry, Seed
from benchmark.scoring.ranking import compare as compare_entries
from benchmark.scoring.stored import stored_scores
from tests.report.made_rows import protocol


def cxr_bench(results, *arguments):
    told = CliRunner().invoke(main, [*arguments, "--results", str(results.folder)])
    return told.exit_code, told.output


def pair_of(results, first, second) -> Pair:
    return Pair.of(results, find(results, first), find(results, second))


def test_ids_and_their_beginnings_are_found(results, add_seeds, add):
    rows = add_seeds("cnn")
    add("constant", strength=0.0)
    assert find(results, rows[1].spec_id).rows == (rows[1],)
    assert find(results, f" {rows[1].spec_id.upper()} ").rows == (rows[1],)
    found = find(results, rows[0].config_id[:8])
    assert [row.spec.seed for row in found.rows] == [0, 1, 2]
    assert not found.is_spec
    assert "seeds 0, 1, 2 (configuration" in found.title


def test_an_unknown_id_lists_the_nearest(results, add_seeds):
    (row, *_) = add_seeds("cnn")
    add_seeds("mlp")
    nearest = rf"(?s)called 'cnn'.*Nearest.*\n  toy/official cnn.*{row.config_id}"
    with pytest.raises(UserError, match=nearest) as told:
        find(results, "cnn")
    assert "official mlp" not in str(told.value)
    mistyped = "x".join((row.spec_id[:3], row.spec_id[4:9]))
    with pytest.raises(UserError, match=rf"(?s)Nearest:\n[^\n]*\(spec {row.spec_id}\)"):
        find(results, mistyped)
    for text in ("zzzz", ""):
        with pytest.raises(UserError, match=r"nearest names: .*cnn@toy/official.*cxr-bench export"):
            find(results, text)
    with pytest.raises(UserError, match="holds no rows"):
        find(type(results)(results.folder / "elsewhere"), "a")


def test_what_is_no_name_is_told_the_forms_with_one_that_works(results, add_seeds, make_protocol):
    rows = add_seeds("cnn")
    rows += add_seeds("cnn", shared=make_protocol("other/set"))
    rows += add_seeds("mlp") + add_seeds("mlp", spec={"resolution": 32})
    for text, example in (
        ("cnn", "cnn@(toy/official|other/set)"),
        ("CNN@toy", "cnn@toy/official"),
        ("other/set", "cnn@other/set"),
        ("mlp 224px", "mlp (32|64)px@toy/official"),
    ):
        with pytest.raises(UserError, match=rf"MODEL@SET, for example '{example}'\.") as told:
            find(results, text)
        example = str(told.value).partition("example '")[2].partition("'")[0]
        assert find(results, example).row in rows


def test_where_no_name_is_enough_the_example_is_an_id(results, add_seeds):
    rows = [
        row for epochs in (8, 9) for row in add_seeds("cnn", spec={"recipe": {"epochs": epochs}})
    ]
    with pytest.raises(UserError, match="for example") as told:
        find(results, "cnn")
    assert any(f"example '{row.spec_id}'" in str(told.value) for row in rows)


def test_a_part_of_a_model_s_name_suggests_it(results, add_seeds, make_protocol):
    add_seeds("linear")
    add_seeds("efficientnet_lite0", shared=make_protocol("other/set"))
    add_seeds("efficientnet_lite0")
    for text in ("lite0", "lite0@toy", "lite0 64px@toy/official"):
        with pytest.raises(UserError, match=r"(?s)Nearest:.*efficientnet_lite0") as told:
            find(results, text)
        assert "official linear" not in str(told.value)


def test_of_many_near_ones_the_names_are_said_the_nearest_first(results, add_seeds, make_protocol):
    for size in range(32, 256, 32):
        add_seeds("cnn", spec={"resolution": size})
        add_seeds("anomaly_cnn", shared=make_protocol("other/set"), spec={"resolution": size})
    for text, first in (("cnn", "cnn@toy/official"), ("cnm@other", "cnn@toy/official, anomaly")):
        with pytest.raises(UserError, match=rf"The nearest names: {first}"):
            find(results, text)
    with pytest.raises(UserError, match="The nearest names: anomaly_cnn@other/set"):
        find(results, "anomaly@other")


def test_a_configuration_is_found_by_its_model_and_data_set(results, add_seeds, make_protocol):
    plain = add_seeds("cnn")[0]
    larger = add_seeds("cnn", spec={"resolution": 224, "augmentation": "strong"})[0]
    probe = add_seeds("mlp", spec={"protocol": "probe:sex"})[0]
    other = make_protocol("other/set")
    theirs = add_seeds("linear", shared=other)[0]
    for text, row in (
        ("linear@other/set", theirs),
        ("linear@other", theirs),
        ("cnn 224px@toy/official", larger),
        ("cnn strong 224@toy", larger),
        ("cnn 64@toy/official", plain),
        (" cnn (64 px, raw)@toy/official ", plain),
        ("cnn (224 px, augmented: strong)@toy", larger),
        ("mlp@toy/official@probe:sex", probe),
    ):
        assert find(results, text).config_id == row.config_id, text
    with pytest.raises(UserError, match=rf"(?s)before the @.*{plain.config_id}"):
        find(results, "cnn@toy/official")
    for nothing in ("mlp@toy/official", "linear@toy", "@toy", "linear@other/se"):
        with pytest.raises(UserError, match="no row or configuration"):
            find(results, nothing)
    with pytest.raises(
        UserError, match=rf"(?s)all the words of 'cnn large@toy'.*{plain.config_id}"
    ):
        find(results, "cnn large@toy")


def test_of_several_the_name_alone_means_the_plain_one(results, add_seeds):
    plain = add_seeds("cnn")[0]
    add_seeds("cnn", spec={"augmentation": "strong"})
    assert find(results, "cnn@toy/official").config_id == plain.config_id


def test_what_no_word_names_is_as_usual(results, add_seeds, make_protocol):
    strong = {"augmentation": "strong", "recipe": {"epochs": 9, "name": "reference"}}
    plain = add_seeds("cnn", spec=strong)[0]
    for other in (
        {"imbalance": "balanced"},
        {"preprocessing": "equalise"},
        {"normalisation": "imagenet"},
        {"scheme": "finetune", "weights": "imagenet"},
        {"precision": "mixed_bfloat16"},
    ):
        add_seeds("cnn", spec=strong | other)
    limited = make_protocol("toy/official", limit=20)
    marks = ["limited to 20 images of each split"]
    add_seeds("cnn", spec=strong | {"limit": 20}, shared=limited, watermarks=marks)
    assert find(results, "cnn strong scratch@toy").config_id == plain.config_id
    with pytest.raises(UserError, match=r"(?s)more than one.*finetune.*scratch"):
        find(results, "cnn strong@toy")
    assert find(results, "cnn finetune@toy").row.spec.weights == "imagenet"
    assert find(results, "cnn equalise@toy").row.spec.preprocessing == "equalise"
    assert find(results, "cnn limit@toy").row.spec.limit == 20


def test_a_recipe_has_to_be_named_where_there_are_two_and_all_are_listed(results, add_seeds):
    named = {"recipe": {"epochs": 9, "name": "reference"}}
    reference, unnamed = add_seeds("cnn", spec=named)[0], add_seeds("cnn")[0]
    with pytest.raises(UserError) as told:
        find(results, "cnn@toy")
    for row, name in ((reference, "recipe reference"), (unnamed, "unnamed recipe")):
        assert re.search(rf"{name}\), seeds .*{row.config_id}", str(told.value))
    assert find(results, "cnn reference@toy").config_id == reference.config_id
    assert find(results, "cnn unnamed recipe@toy").config_id == unnamed.config_id
    sizes = [add_seeds("cnn", spec={"resolution": side})[0] for side in range(32, 42)]
    with pytest.raises(UserError) as told:
        find(results, "cnn@toy")
    assert all(row.config_id in str(told.value) for row in (reference, unnamed, *sizes))
    code, said = cxr_bench(results, "compare", reference.config_id, unnamed.config_id)
    assert code == 0
    assert re.search(r"^A .*recipe reference\)(?s:.*)^B .*unnamed recipe\)", said, re.MULTILINE)


def test_either_part_of_a_set_s_name_is_enough_and_several_are_listed(results, add):
    mine, theirs = protocol("image_folder/my_set"), protocol("image_folder/other_set")
    row, other = add("linear", shared=mine), add("linear", shared=theirs)
    for text, meant in (("linear@my_set", row), ("linear@other_set", other)):
        assert find(results, text).config_id == meant.config_id
        code, told = cxr_bench(results, "export", text.partition("@")[2])
        assert (code, told.count("| linear |")) == (0, 1), told
    again = add("linear", shared=protocol("toy/my_set"))
    with pytest.raises(UserError, match="more than one configuration") as said:
        find(results, "linear@my_set")
    listed = [each.config_id in str(said.value) for each in (row, again, other)]
    assert listed == [True, True, False]


def test_an_ambiguous_beginning_lists_what_it_could_be(results, add):
    ids = [add("cnn", seed, failed="it crashed").spec_id for seed in range(17)]
    firsts = [spec_id[0] for spec_id in ids]
    twice = next(digit for digit in firsts if firsts.count(digit) > 1)
    with pytest.raises(UserError, match=r"(?s)more than one id.*spec.*spec"):
        find(results, twice)


def influences(results, row, of):
    scores = stored_scores(results, row)
    test = read_predictions(results.predictions_path(row.spec_id), "binary").part("test")
    return of(Part.scored(test, scores.thresholds), [0])


def test_configurations_are_compared_with_both_chances(results, add_seeds):
    first, second = add_seeds("cnn", strength=3.0), add_seeds("mlp", strength=1.0)
    pair = pair_of(results, first[0].config_id, second[0].config_id)
    for metric, of in (("auc", influence.macro_auc), ("f1", influence.macro_f1)):
        entries = []
        for rows in (first, second):
            found = [influences(results, row, of) for row in rows]
            seeds = [Seed(each.value) for each in found]
            entries.append(Entry(rows[0].config_id, seeds, lambda found=found: found))
        got, expected = pair.compare(results, metric), compare_entries(*entries)
        assert got.p == pytest.approx(expected.p)
        assert got.interval == pytest.approx(expected.interval)


def test_one_finding_is_compared_by_the_prediction_files(results, add):
    first, second = add("cnn", 0, strength=3.0), add("mlp", 0, strength=1.0)
    difference = influences(results, first, influence.macro_auc) - influences(
        results, second, influence.macro_auc
    )
    got = pair_of(results, first.spec_id, second.spec_id).compare_finding(results, "pneumonia")
    assert got.difference == pytest.approx(difference.value)
    assert got.se == pytest.approx(difference.variance**0.5)


def test_two_specs_are_two_networks_and_a_spec_beside_a_configuration_is_not_tested(
    results, add_seeds
):
    first, second = add_seeds("cnn", strength=3.0), add_seeds("mlp", strength=1.0)
    specs = pair_of(results, first[0].spec_id, second[0].spec_id).compare(results, "auc")
    assert specs.p is not None
    mixed = pair_of(results, first[0].config_id, second[0].spec_id).compare(results, "auc")
    assert mixed.difference is not None
    assert mixed.p is None
    assert "seed variance is unknown" in mixed.note


def test_compare_prints_the_difference_and_its_tests(results, add_seeds):
    first, second = add_seeds("cnn", strength=6.0), add_seeds("mlp", strength=0.2)
    code, said = cxr_bench(results, "compare", first[0].config_id, second[0].config_id)
    assert code == 0
    assert "60 test images of 30 patients" in said
    lines = {line.split("  ")[0]: line.split() for line in said.splitlines() if line}
    assert float(lines["AUC"][3]) > 0.2
    assert "chances" in said


def test_different_protocols_are_refused_with_what_differs(results, add_seeds, make_protocol):
    first = add_seeds("cnn")
    second = add_seeds("cnn", shared=make_protocol("toy/internal", split="other"))
    limited = add_seeds("mlp", watermarks=["limited to 20 images of each split"])
    code, said = cxr_bench(results, "compare", first[0].config_id, second[0].config_id)
    assert code == 2
    assert "differ in dataset, split" in said
    code, said = cxr_bench(results, "compare", first[0].config_id, limited[0].config_id)
    assert (code, "watermarks" in said) == (2, True)
    code, said = cxr_bench(results, "compare", first[0].config_id, first[0].config_id)
    assert (code, "with itself" in said) == (2, True)


def test_seeds_of_two_protocols_or_watermarks_have_no_mean(results, add, make_protocol):
    first, other = (make_protocol(label_version=of) for of in ("2018", "2099"))
    same = {"spec": {"manifest_sha256": "0" * 64}}
    rows = [add("cnn", seed, shared=first, **same) for seed in range(2)]
    rows += [add("cnn", 2, shared=other, **same)]
    rows += [add("cnn", 3, shared=first, watermarks=["half of the images"], **same)]
    config_id = rows[0].config_id
    for text in (config_id, config_id[:6], "cnn@toy"):
        for words in (["show", text], ["compare", text, rows[0].spec_id]):
            code, said = cxr_bench(results, *words)
            assert (code, "not measured alike" in said) == (2, True)
            both = f"{rows[0].spec_id}, {rows[1].spec_id}"
            assert f"{first.id}, watermarks: none; specs {both}" in said
            assert f"{other.id}, watermarks: none; specs {rows[2].spec_id}" in said
            assert f"watermarks: half of the images; specs {rows[3].spec_id}" in said
    assert cxr_bench(results, "show", rows[2].spec_id)[0] == 0


def test_a_page_about_a_row_says_scores_thresholds_and_where_they_come_from(results, add_seeds):
    row = add_seeds("cnn")[0]
    code, said = cxr_bench(results, "show", row.spec_id)
    assert code == 0
    scores = stored_scores(results, row)
    low, high = scores.intervals["test_auc"]
    assert f"AUC  {scores.splits['test'].metrics['auc']:.3f} [{low:.3f}, {high:.3f}]" in said
    assert f"{scores.thresholds['pneumonia']:.3f}" in said
    for text in ("Overfitting gap", "Some CPU", row.predictions_sha256, ", licence CC BY"):
        assert text in said
    scored = [stored_scores(results, each) for each in results.rows()]
    means = np.mean([each.splits["test"].metrics["f1"] for each in scored])
    assert f"F1   {means:.3f} ±" in cxr_bench(results, "show", row.config_id)[1]


def test_a_gap_without_its_parts_says_why(results, add, capsys):
    row = add("cnn")
    said = cxr_bench(results, "show", row.spec_id)[1]
    assert "= (train - validation), which is overfitting" in said
    configuration = find(results, row.spec_id).configuration(results)
    known = configuration.runs[0]
    scores = known.scores
    gap = {name: replace(g, train_minus_validation=None) for name, g in scores.gap.items()}
    for changed, why in (
        ({}, "no finding has enough patients in both splits of a part"),
        ({"splits": {"test": scores.splits["test"]}}, "no predictions of train and validation"),
    ):
        run = dataclasses.replace(known, scores=replace(scores, gap=gap, **changed))
        _show_gap(dataclasses.replace(configuration, runs=(run,)))
        shown = capsys.readouterr().out
        assert f"train minus test; not in its parts: {why}" in shown
        assert "=" not in shown


def test_a_page_about_a_failed_row_says_why(results, add):
    row = add("cnn", failed="out of memory")
    code, said = cxr_bench(results, "show", row.spec_id)
    assert (code, "out of memory" in said) == (0, True)
    other = add("mlp")
    code, said = cxr_bench(results, "compare", row.spec_id, other.spec_id)
    assert (code, "has no scores, it is failed: out of memory" in said) == (2, True)


def test_patients_are_not_counted_where_nobody_knows_them(results, add):
    known = add("cnn")
    dataset = replace(known.dataset, leakage_status="suspected", reasons=[PATIENTS_UNKNOWN])
    rows = [add(m, seed, dataset=dataset) for seed in range(3) for m in ("cnn", "mlp")]
    shown = cxr_bench(results, "show", rows[0].spec_id)[1]
    compared = cxr_bench(results, "compare", *(row.spec_id for row in rows[:2]))[1]
    assert "\n  Patients" not in shown
    assert "60 test images of an unknown number of patients" in compared
    assert cxr_bench(results, "leaderboard")[0] == 0
    board = (results.folder / "LEADERBOARD.md").read_text()
    assert "test: 60 images of an unknown number of patients" in board
    assert "(60 test images of an unknown number of patients) validation chooses" in board
    assert "30 patients" not in board


def test_a_recipe_is_told_as_it_acts(add, results):
    recipe = {"epochs": 30, "learning_rate": 0.001, "warmup_share": 0.1, "warmup_steps": 100}
    tuned, scratch = (
        add("resnet50", spec={"scheme": scheme, "weights": weights, "recipe": recipe})
        for scheme, weights in (("finetune", "imagenet"), ("scratch", "random"))
    )
    words = training_in_words(tuned.spec)
    assert "learning rate 0.001 of the head, then 0.0001" in words
    assert "at most 5 epochs of the head, then 30 epochs" in words
    assert "at most 30 epochs" in training_in_words(scratch.spec)
    said = cxr_bench(results, "show", tuned.spec_id)[1]
    assert "finetune_factor 0.1, head_epochs 5" in said
    for row in (tuned, scratch):
        said = cxr_bench(results, "show", row.spec_id)[1]
        assert ("warmup_share 0.1" in said, "warmup_steps" in said) == (True, False)
    assert "head_epochs" not in said
