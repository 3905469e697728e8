"""The first screen: who chooses, in which order, and that no sentence stands without its ground."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from benchmark.records.row import Row
from benchmark.records.store import Results
from benchmark.report.blocks.text import interval, number
from benchmark.report.blocks.values import as_text
from benchmark.report.comparing.lookup import find
from benchmark.report.gathering.gather import gather
from benchmark.report.leaderboard.board import Leaderboard
from benchmark.report.leaderboard.document import document
from benchmark.report.leaderboard.first_screen import first_screen, first_tables, lines, matrix
from benchmark.report.leaderboard.story import story
from benchmark.report.render import markdown
from benchmark.scoring.stored import predictions_of
from benchmark.scoring.unshared import unshared_patients
from benchmark.spec import EnsembleRule, requirement
from tests.report.made_rows import dataset_facts

ROOT = Path(__file__).parents[3]
VOTE = EnsembleRule(rule="soft_vote")
MARKED = {"watermarks": ["limited to 10 images"]}


def told(results) -> list[str]:
    of = Leaderboard.of(results)
    return [as_text(sentence) for sentence in story(of, first_tables(of.tables))]


def shown(results, *, cost: bool = True) -> list[list[str]]:
    """The first matrix as text, its header first."""
    made = matrix(first_tables(Leaderboard.of(results).tables)[0], cost=cost)
    header = [as_text(column.heading) for column in made.columns]
    return [header, *([as_text(value) for value in row] for row in made.rows)]


def test_validation_chooses_way_and_size_whatever_test_says(results, add_seeds):
    for size, scheme, strength in ((64, "scratch", 3.0), (64, "finetune", 1.0), (128, "knn", 2.0)):
        add_seeds("cnn", strength=strength, spec={"resolution": size, "scheme": scheme})
    (table,) = gather(results)
    (line,) = lines(table)
    ranked = {(c.spec.resolution, c.spec.scheme): c for c in table.ranked}
    chosen = max(ranked.values(), key=lambda c: c.measurements["validation_auc"].mean)
    assert line.chosen is chosen
    header, row = shown(results)
    assert header[:4] == ["Model", "Trained", "AUC 64 px", "AUC 128 px"]
    assert row[1] == chosen.spec.scheme


def test_a_line_differs_in_size_alone(results, add, add_seeds):
    """A size at which the chosen way was not run shows what others have, not another way."""
    for size, scheme, strength in ((64, "scratch", 1.0), (64, "finetune", 6.0), (128, "knn", 2.0)):
        add_seeds("cnn", strength=strength, spec={"resolution": size, "scheme": scheme})
    add("cnn", strength=3.0, spec={"resolution": 224, "scheme": "finetune"})
    (table,) = gather(results)
    (line,) = lines(table)
    assert {size: c.spec.scheme for size, c in line.at.items()} == {64: "finetune", 224: "finetune"}
    of_knn = next(c for c in table.ranked if c.spec.scheme == "knn").measurements["test_auc"]
    _, (_, way, at_64, at_128, at_224, *_) = shown(results)
    assert way == "finetune"
    assert "1 other: " in at_64
    assert at_128 == f"1 other: {of_knn.mean:.3f}"
    assert "1\xa0of\xa03\xa0seeds" in at_224


def test_lines_are_models_by_test_auc_with_letters_and_baselines_below(results, add, add_seeds):
    add_seeds("weak", strength=0.2)
    add_seeds("strong", strength=6.0)
    add("constant", strength=0.0)
    header, *rows = shown(results)
    assert [row[0] for row in rows] == ["strong", "weak"]
    assert "Trained" not in header  # all in one way
    assert "\xa0·\xa0(a)" in rows[0][1]  # on the line of its AUC
    assert "\xa0·\xa0(b)" in rows[1][1]
    assert header[-1] == "Time"
    assert shown(results, cost=False)[0][-1] == "Parameters"
    made = matrix(first_tables(Leaderboard.of(results).tables)[0], cost=True)
    assert as_text(made.notes[0]).startswith("Without an image: constant 0.500")


def test_what_wants_seeds_stands_only_where_nothing_else_does_and_says_so(results, add, add_seeds):
    add_seeds("cnn", strength=1.0)
    add("cnn", strength=6.0, spec={"augmentation": "strong"})
    add("mlp", strength=2.0)
    rows = {row[0]: row for row in shown(results)[1:]}
    assert "seeds" not in rows["cnn"][1]
    assert "1\xa0of\xa03\xa0seeds" in rows["mlp"][1]
    assert any("not ranked yet (1 of 3 seeds): cnn (augmented: strong)" in s for s in told(results))


def test_real_images_stand_first_and_limited_ones_last(results, add, make_protocol):
    simulated = make_protocol("a_phantom/default")
    facts = replace(dataset_facts(simulated, "binary"), simulated=True)
    add("cnn", shared=simulated, dataset=facts)
    add("cnn", shared=make_protocol("b_limited/default"), **MARKED)
    add("cnn", shared=make_protocol("c_real/default"))
    add("constant", strength=0.0, shared=make_protocol("d_without_a_model/default"))
    of = Leaderboard.of(results)
    names = [each.protocol.dataset for each in first_tables(of.tables)]
    assert names == ["c_real/default", "a_phantom/default", "b_limited/default"]
    text = markdown.document(first_screen(of, cost=True))
    assert text.index("a_phantom") < text.index("<details>") < text.index("b_limited")
    assert "Simulated images" in text


def test_legacy_protocols_never_stand_on_the_first_screen(results, add, make_legacy):
    add("cnn", shared=make_legacy("legacy_s3"))
    assert first_screen(Leaderboard.of(results), cost=True) == []


def test_a_sentence_without_its_ground_is_left_out(results, add_seeds):
    assert told(results) == []
    add_seeds("cnn")
    first, *rest = told(results)
    assert "is ranked alone" in first
    assert not any("choice" in s or "family" in s or "reads" in s for s in rest)


def test_sentences_hold_what_the_results_hold(results, add_seeds):
    for size, strength in ((64, 0.2), (128, 6.0)):
        add_seeds("cnn", strength=strength, spec={"resolution": size})
        add_seeds("mlp", strength=strength, spec={"resolution": size})
    (table,) = gather(results)
    (effect,) = table.effects
    said = " ".join(told(results))
    assert (
        f"size made there, all else the same: 64 to 128 px, +{effect.comparison.difference:.3f} AUC"
        in said
    )
    assert "better in 2 of 2 pairs" in said
    assert "of 4 ranked configurations" in said
    assert "60 test images of 30 patients" in said


def test_what_validation_could_have_chosen_and_what_the_threshold_costs_is_said(results, add_seeds):
    for model, strength in (("cnn", 4.0), ("mlp", 4.2), ("linear", 0.5)):
        add_seeds(model, strength=strength)
    (table,) = gather(results)
    every = {c.spec.model: c.measurements for c in table.ranked}
    chosen = max(every, key=lambda model: every[model]["validation_auc"].mean)
    (other,) = {"cnn", "mlp"} - {chosen}
    own, test = every[chosen], every[other]["test_auc"].mean
    assert every["linear"]["validation_auc"].mean < own["validation_auc"].low
    said = " ".join(told(results))
    assert (
        f"Validation gives it AUC {own['validation_auc'].mean:.3f} [{own['validation_auc'].low:.3f}"
        in said
    )
    assert (
        f"and 1 other at least the lower end of that, ranked or not; on test it has {test:.3f}"
        in said
    )
    assert f"Its F1 on test is {own['test_f1'].mean:.3f} [" in said
    assert f"would have given {own['test_best_f1'].mean:.3f}." in said


def test_where_ids_are_shared_it_is_said_what_the_other_patients_give(
    results, add_seeds, make_protocol
):
    """Two images a patient: 65 patients of train and validation, then 30 of test."""
    ids = np.array([f"{i // 2:03d}" for i in range(190)])
    ids[:20] = ids[130:150]
    shared = make_protocol()
    facts = replace(dataset_facts(shared, "binary"), leakage_status="suspected")
    people = {"patient_id": ids}
    add_seeds("cnn", strength=1.0, shared=shared, dataset=facts, people=people)
    said = next(s for s in told(results) if "have an id" in s)
    (table,) = gather(results)
    runs = [predictions_of(results, run.row) for run in table.ranked[0].runs]
    apart = unshared_patients(runs, ["pneumonia"])
    assert said == (
        "10 of the 30 test patients have an id that train or validation has, too; on the 40 "
        "images of the other 20 (18 images with pneumonia, 28 of all 60) it has AUC "
        f"{apart.auc:.3f} {interval(*apart.interval)}."
    )


def test_the_chosen_one_is_told_from_the_best_on_test(results, add_seeds):
    add_seeds("cnn", strength=4.0)
    add_seeds("mlp", strength=4.2)
    add_seeds("tiny", strength=4.4)
    (table,) = gather(results)
    of = {c.spec.model: c for c in table.ranked}
    chosen = max(of.values(), key=lambda c: c.measurements["validation_auc"].mean)
    assert chosen is not table.ranked[0]
    said = " ".join(told(results))
    assert f"{chosen.spec.model} with AUC" in said
    assert "Validation gives the chosen one AUC" in said
    assert "F1 of the chosen one on test is" in said


def test_a_cell_says_what_the_other_ways_of_its_size_have(results, add_seeds):
    for scheme, strength in (("scratch", 3.0), ("finetune", 1.0), ("knn", 2.0)):
        add_seeds("cnn", strength=strength, spec={"scheme": scheme})
    (table,) = gather(results)
    (line,) = lines(table)
    others = [c.measurements["test_auc"].mean for c in table.ranked if c is not line.chosen]
    _, row = shown(results)
    assert f"2 others: {min(others):.3f} to {max(others):.3f}" in row[2]


def test_what_was_chosen_is_bold_wherever_there_was_a_choice(results, add_seeds):
    add_seeds("mlp")
    for scheme in ("scratch", "finetune"):
        add_seeds("cnn", spec={"scheme": scheme})
    top = markdown.document(first_screen(Leaderboard.of(results), cost=True))
    assert re.search(r"^\| cnn \| (scratch|finetune) \| \*\*0\.\d{3}", top, re.MULTILINE)
    assert re.search(r"^\| mlp \| scratch \| 0\.\d{3}", top, re.MULTILINE)


@pytest.fixture
def members(add, add_seeds) -> dict[str, list[Row]]:
    """Of two votes: one of networks that were trained in two ways, one in one way."""
    tuned = {"scheme": "finetune", "weights": "imagenet"}
    found = {"cnn": add_seeds("cnn"), "tiny": add_seeds("tiny", spec=tuned)}
    for name, of in (("vote", ("cnn", "tiny")), ("alone", ("cnn", "cnn"))):
        for seed in range(3):
            made_of = {f"member:{m}": requirement(found[m][seed].spec) for m in of}
            add(name, seed, spec={"kind": "vote", "ensemble": VOTE, "requires": made_of})
    return found


def test_an_ensemble_of_members_trained_in_different_ways_is_mixed(results, members):
    _, *rows = shown(results)
    assert {row[0]: row[1] for row in rows} == {
        "cnn": "scratch",
        "tiny": "finetune",
        "vote (ensemble)": "mixed",
        "alone (ensemble)": "scratch",
    }
    assert find(results, "vote@toy").shown.weights == "mixed"


def test_nobody_knows_how_members_were_trained_that_are_not_there(results, members):
    def told() -> tuple[str, str]:
        (table,) = gather(results)
        (vote,) = (c for c in table.configurations if c.spec.model == "vote")
        return vote.shown.scheme, vote.shown.weights

    first, *others = members["tiny"]
    results.row_path(first.spec_id).unlink()
    assert told() == ("mixed", "mixed")  # the other seeds say so
    for row in others:
        results.row_path(row.spec_id).unlink()
    assert told() == ("", "")


def test_the_models_of_a_change_are_named_with_their_schemes(results, add_seeds):
    for size in (64, 128):
        add_seeds("cnn", strength=size / 32, spec={"resolution": size})
        probe = {"scheme": "linear_probe", "weights": "imagenet", "recipe": {}, "imbalance": ""}
        add_seeds("tiny", strength=size / 32, spec={"resolution": size} | probe)
    (table,) = gather(results)
    (effect,) = table.effects
    assert sorted(effect.models) == ["cnn", "tiny (linear_probe)"]


def test_starting_weights_that_change_with_the_scheme_are_said(results, add_seeds):
    add_seeds("cnn", strength=0.2)
    add_seeds("cnn", strength=6.0, spec={"scheme": "finetune", "weights": "imagenet"})
    said = " ".join(told(results))
    assert (
        "scheme made there, all else the same: scratch (random) to finetune (imagenet), +" in said
    )


def test_models_that_were_trained_by_other_policies_do_not_look_alike(results, add_seeds):
    add_seeds("cnn", spec={"augmentation": "strong"})
    add_seeds("linear", spec={"preprocessing": "equalise"})
    add_seeds("mlp")
    (table,) = gather(results)
    assert {line.chosen.spec.model: line.way for line in lines(table)} == {
        "cnn": "augmented: strong", "linear": "equalise", "mlp": "",
    }  # fmt: skip


def test_there_is_no_gap_to_images_that_are_known_by_heart(results, add_seeds):
    near = {"scheme": "knn", "weights": "imagenet", "recipe": {}, "imbalance": ""}
    add_seeds("cnn", spec=near)
    add_seeds("mlp")
    (table,) = gather(results)
    known = {c.spec.model: c.measurements for c in table.ranked}
    assert known["cnn"]["gap_auc"].mean is None
    assert known["cnn"]["gap_auc_train_minus_validation"].mean is None
    assert known["cnn"]["gap_auc_validation_minus_test"].mean is not None
    assert known["mlp"]["gap_auc"].mean is not None
    assert "From train to test it loses" in " ".join(told(results))


def test_each_choice_has_a_sentence_of_its_own(results, add_seeds):
    for strength, spec in (
        (1.0, {}),
        (1.02, {"resolution": 128}),
        (6.0, {"augmentation": "flip"}),
        (3.0, {"augmentation": "strong"}),
    ):
        add_seeds("cnn", strength=strength, spec=spec)
    (table,) = gather(results)
    changes = {e.after: e.comparison.difference for e in table.effects}
    said = [s for s in told(results) if "change" in s]
    (size,) = (e.comparison for e in table.effects if e.axis == "size")
    assert said[0] == (
        "The one change of size did not change AUC there by more than chance may: 64 to 128 px, "
        f"{number(size.difference, sign=True)} AUC {interval(*size.interval)} in 1 pair."
    )
    assert (
        f"augmentation made there, all else the same: none to flip, +{changes['flip']:.3f}"
        in (said[1])
    )
    assert len(said) == 2


def test_an_attribute_that_is_not_read_is_not_said_to_be(results, add_seeds, make_protocol):
    add_seeds("cnn", strength=4.0)
    for field, strength in (("sex", 5.0), ("age", 0.001)):
        shared = make_protocol(findings=(field,), probe=field, split="as published; probe")
        add_seeds("cnn", strength=strength, shared=shared)
    said = [s for s in told(results) if "reads" in s]
    assert len(said) == 1
    assert "sex with AUC" in said[0]
    assert " age " not in said[0]


@pytest.fixture(scope="module")
def committed() -> str:
    return (ROOT / "results" / "LEADERBOARD.md").read_text()


def test_the_first_result_stands_within_sixty_lines(committed):
    top = committed.splitlines()[:60]
    first = next(line for line in top if re.search(r"\| \**0\.\d{3}\**[^|]*<br>\[0\.\d{3}", line))
    assert "AUC" in "".join(top[: top.index(first)])
    assert "kermany_pneumonia/official" in "".join(top[: top.index(first)])


def test_order_of_the_page(committed):
    headings = [line for line in committed.splitlines() if line.startswith("## ")]
    order = ["## Results", "## What came out", "## What each choice changes", "## All tables"]
    assert headings[:4] == order
    assert headings[-3:] == [
        "## How to read it",
        "## Published numbers, not reproduced here",
        "## Known limits",
    ]


def test_nothing_that_a_person_looks_for_first_is_folded():
    blocks = document(Leaderboard.of(Results(ROOT / "results")), cost=True)
    text = re.sub(r"<details>.*?</details>", "", markdown.document(blocks), flags=re.DOTALL)
    tables = re.findall(r"^\| Letters \| Model", text, re.MULTILINE)
    assert len(tables) == len(gather(Results(ROOT / "results")))
    assert "Licence" not in text
