"""Rows with tables of their own: masks, and networks on another data set."""

from __future__ import annotations

import json

import numpy as np
import pytest
from msgspec.structs import replace
from scipy.stats import t
from sklearn.metrics import f1_score

from benchmark.records.door import read_derived, write_record
from benchmark.records.mask_counts import MaskCounts
from benchmark.records.predictions import read_predictions
from benchmark.records.row import Made, Row
from benchmark.records.run_facts import TrainedOn
from benchmark.records.scores import MaskScores
from benchmark.records.store import Results
from benchmark.report.blocks.values import Measurement
from benchmark.report.export.leaderboard import write
from benchmark.report.leaderboard.story import with_seeds
from benchmark.report.sections.external_validation import gather_external_validation
from benchmark.report.sections.lungs import gather_masks
from benchmark.scoring.publishing import check, publish
from benchmark.spec import NETWORK, Spec, requirement
from tests.records.rows import a_row, a_spec, counts_of
from tests.records.written import write_predictions
from tests.report.made_rows import add_row, code, predictions, protocol

FINDINGS = ({"pneumonia": ["pneumonia"]}, {"pneumonia": ["Pneumonia"]})


def counts(seed: int) -> MaskCounts:
    n = 30
    return MaskCounts(
        split=np.repeat(["train", "validation", "test"], n // 3),
        image_id=np.array([f"{i:03d}" for i in range(n)]),
        patient_id=np.array([f"{i // 2:03d}" for i in range(n)]),
        pairing=np.resize(["unique", "seq"], n),
        counts=np.random.default_rng(seed).integers(1, 200, (n, 4)),
    )


@pytest.fixture
def masks(results) -> list[Row]:
    """Two networks that predict masks."""
    rows = []
    for seed, model in enumerate(("unet_batchnorm", "mean_mask")):
        spec = a_spec(kind="masks", model=model)
        facts = {"mask_definition": "both lungs", "mask_size": 64, "test_masks": "1" * 64}
        shared = protocol("toy/official", (), **facts)
        content = counts(seed)
        facts = {"protocol": shared, "code": code(spec), "counts": counts_of(content)}
        row = a_row(spec, (), "segmentation", **facts)
        rows.append(publish(results, row, check(content, shared)))
    return rows


def test_masks_have_a_table_of_their_own(results, masks):
    (table,) = gather_masks(results)
    assert [run.row.spec_id for run in table.runs] == sorted(
        (row.spec_id for row in masks), key=lambda i: -dice(results, i)
    )
    text = write(results).read_text()
    assert "### toy/official 1.0.0, 64 px" in text
    assert text.index("All test images") < text.index("pairing *seq*") < text.index("*unique*")
    assert "¶" not in text
    told = json.loads((results.folder / "leaderboard.json").read_bytes())["lung_segmentation"]
    assert told[0]["splits"]["test"]["all"]["n_images"] == 10
    assert [entry["spec_id"] for entry in told] == [run.row.spec_id for run in table.runs]


def dice(results, spec_id: str) -> float:
    (table,) = gather_masks(results)
    run = next(run for run in table.runs if run.row.spec_id == spec_id)
    return run.test["all"].overlaps["dice"]


@pytest.mark.parametrize("limits", [{}, None])
def test_an_overlap_without_an_interval_is_shown_without_one(results, masks, limits):
    write(results)
    for row in masks:
        path = results.scores_path(row.spec_id)
        scores = read_derived(path, MaskScores)
        groups = {n: replace(g, intervals=limits) for n, g in scores.splits["test"].items()}
        write_record(path, replace(scores, splits=scores.splits | {"test": groups}))
    (table,) = gather_masks(results)
    found = table.runs[0].measured("all", "dice")
    assert found.mean is not None
    assert found.limits is None
    assert "### toy/official 1.0.0, 64 px" in write(results).read_text()


def test_masks_that_were_changed_or_are_stale_say_so(results, masks):
    first, second = masks
    other = check(counts(7), first.protocol)
    results.predictions_path(first.spec_id).write_bytes(other.data)
    results.write_row(replace(second, code=second.code | {"kind": "0"}))
    text = write(results).read_text()
    assert "- † Predictions changed after the run; scored from the file as it is now: " in text
    assert "| unet_batchnorm † |" in text
    assert "- ¶ Made by another version of the code (kind 0, now 1); " in text
    assert "| mean_mask ¶ |" in text


@pytest.fixture
def evaluated(results) -> tuple[Row, Row]:
    """A network, and its predictions on another data set."""
    return evaluate(results)


def evaluate(
    results: Results, strength: float = 1.0, seed: int = 0, model: str = "cnn"
) -> tuple[Row, Row]:
    """A network, and its predictions on another data set, as good there as asked for."""
    origin = add_row(results, model, strength=3.0, seed=seed)
    shared = protocol("other/official", cross=True)
    spec = Spec.from_dict(
        origin.spec.as_dict()
        | {"kind": "external_validation", "dataset": "other/official", "recipe": {}}
        | {"scheme": "", "weights": "", "requires": {NETWORK: vars_of(requirement(origin.spec))}}
    )
    made = {NETWORK: Made(spec_id=origin.spec_id, predictions_sha256=origin.predictions_sha256)}
    trained = TrainedOn(
        dataset=origin.spec.dataset, scheme="scratch", weights="random", findings=FINDINGS
    )
    content = predictions(shared, strength, 5 + seed, "binary")
    facts = {"protocol": shared, "code": code(spec), "counts": counts_of(content)}
    row = a_row(spec, shared.findings, made_from=made, trained_on=trained, **facts)
    return origin, publish(results.cross, row, check(content, shared))


def vars_of(each) -> dict[str, str]:
    return {"spec_id": each.spec_id, "config_id": each.config_id}


def test_an_evaluation_stands_beside_its_own_auc(results: Results, evaluated):
    origin, row = evaluated
    (found,) = gather_external_validation(results)
    assert found.network.spec_id == origin.spec_id
    assert found.trained_on.dataset == "toy/official"
    own = json.loads(write(results).with_name("leaderboard.json").read_bytes())
    (entry,) = own["on_another_data_set"]
    (home,) = own["configurations"]
    assert entry["own_auc"] == pytest.approx(home["measurements"]["test_auc"]["mean"])
    assert (entry["source_config_id"], entry["specs"]) == (origin.config_id, [row.spec_id])
    text = (results.folder / "LEADERBOARD.md").read_text()
    assert "### On other/official 1.0.0" in text
    assert "60 test images of 30 patients" in text
    assert "| toy/official | cnn | 0." in text
    there = found.configuration.measurements["test_auc"].mean
    assert (
        f"1 configuration trained on toy reaches AUC {entry['own_auc']:.3f} of pneumonia on its "
        f"own test images, and {there:.3f} on 60 test images of other/official."
    ) in text


@pytest.mark.parametrize(
    ("strength", "where"), [(2.0, "lies above"), (0.0, "holds"), (-2.0, "lies below")]
)
def test_of_one_that_was_tested_elsewhere_it_is_said_how_it_does_beside_guessing(
    results, strength, where
):
    evaluate(results, strength)
    assert "guessing" not in story(results)  # chance in training is not known
    evaluate(results, strength, seed=1)
    said = f"; its 95 % interval there, over patients and seeds, {where} 0.5, guessing."
    assert said in story(results)


@pytest.mark.parametrize(("strength", "above", "below"), [(2.0, 2, 0), (0.0, 0, 0), (-2.0, 0, 2)])
def test_those_above_guessing_elsewhere_are_counted_and_those_below(
    results, strength, above, below
):
    for model in ("cnn", "mlp"):
        evaluate(results, strength, model=model)
        evaluate(results, strength, seed=1, model=model)
    said = f"is above guessing for {above} of them, and below for {below}, where guessing alone"
    assert said in story(results)


def story(results: Results) -> str:
    return write(results).read_text().partition("### On ")[0]


@pytest.mark.parametrize("strength", [0.0, 1.0])
def test_what_is_had_for_nothing_elsewhere_is_said(results, strength):
    _, row = evaluate(results, strength)
    targets = read_predictions(results.cross.predictions_path(row.spec_id), "binary")
    test = targets.part("test").targets.ravel()
    f1 = f1_score(test, np.ones_like(test))
    said = f"An image called positive whatever it shows: AUC 0.5, F1 {f1:.3f}."
    assert said in write(results).read_text()


def test_above_guessing_holds_for_patients_and_seeds():
    surely = Measurement(0.6, None, 0.55, 0.65)
    assert with_seeds(surely, 1) == (0.55, 0.65)
    low, high = with_seeds(Measurement(0.6, 0.08, 0.55, 0.65), 5)
    half = t.ppf(0.975, 4) * 0.08 / 5**0.5
    assert low == pytest.approx(0.6 - np.hypot(0.05, half))
    assert high == pytest.approx(0.6 + np.hypot(0.05, half))


def test_an_evaluation_of_a_network_that_was_made_anew_has_no_own_auc(results, evaluated):
    origin, _ = evaluated
    path = results.predictions_path(origin.spec_id)
    other = read_predictions(path, "binary")
    other.logits[-40:] = 0
    results.write_row(replace(origin, predictions_sha256=write_predictions(path, other)))
    (found,) = gather_external_validation(results)
    assert found.home is None
    text = write(results).read_text()
    assert "| toy/official | cnn ¶ (1) | – |" in text
    assert "- (1) ¶ Made from rows that have been made anew since, seed 0 (network); " in text


@pytest.mark.parametrize("exists", [True, False])
def test_an_evaluation_of_findings_that_the_tested_row_has_not_is_left_out(
    results, evaluated, exists
):
    origin, row = evaluated
    theirs = ({name: ["Zzz"] for name in FINDINGS[0]}, FINDINGS[1])
    results.cross.write_row(replace(row, trained_on=replace(row.trained_on, findings=theirs)))
    if not exists:
        results.remove_row(origin.spec_id)
    left_out = []
    found = gather_external_validation(results, left_out=left_out)
    assert [bool(found), bool(left_out)] == [not exists, exists]
    assert all(f"{row.spec_id}.json" in str(e) and "has no 'Zzz'" in str(e) for e in left_out)
    if exists:
        text = write(results).read_text()
        assert "Tested on another data set" not in text
        assert row.spec_id in text
