"""Segmentation networks as specs, and what their masks do to the images of another set."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest
from msgspec.structs import replace
from PIL import Image

from benchmark.commands.masks import draw_row
from benchmark.data.discovery import find_dataset
from benchmark.data.prepare import prepare
from benchmark.data.prepared import NotPrepared
from benchmark.data.views import open_masks, open_view
from benchmark.errors import UserError
from benchmark.kinds import running
from benchmark.models import discover
from benchmark.planning.inputs import PlanInputs
from benchmark.planning.resolve import make_plan
from benchmark.records.mask_counts import (
    count_pixels,
    packed_masks,
    read_mask_counts,
)
from benchmark.records.store import Results
from benchmark.report.export.leaderboard import write
from benchmark.scheduling.runner import run_plan
from benchmark.scheduling.slots import Folders
from benchmark.scoring.stored import stored_mask_scores
from benchmark.suites.axes import DEFAULTS
from benchmark.suites.suite import LungNetwork, Suite
from benchmark.training.lung_views import open_lungs, open_prepared_view, usable_mask
from tests.execution.conftest import ENVIRONMENT
from tests.execution.here import Here
from tfds_builders.lung_masks import fake_raw

MASKS, FINDINGS = "lung_masks/kermany_pairs", "thorax_phantom/small"
VARIANTS = ("lung_masked", "lung_cropped", "lungs_removed")
SIZE = 32


def suite(models, dataset=MASKS, **matrix) -> Suite:
    given = {"datasets": [dataset], "models": list(models), "resolutions": [SIZE], "seeds": [0]}
    recipe = {"epochs": 4, "batch_size": 4, "patience": 4, "warmup_steps": 0}
    network = LungNetwork("lungs", "unet")
    return Suite("test", "Test", "", DEFAULTS | given | matrix, recipe, lungs=network)


class Lungs:
    """Plans and runs suites on a mask set and on the small phantom, into one results folder."""

    def __init__(self, masks, findings, data_dir, cache_dir, results):
        self.masks, self.findings = masks, findings
        self.data_dir, self.cache_dir, self.results = data_dir, cache_dir, Results(results)

    def plan(self, *suites, **options):
        prepared = {MASKS: self.masks, FINDINGS: self.findings}
        asked = {name: options.pop(name) for name in ("limit", "no_test") if name in options}
        inputs = PlanInputs(discover(), prepared, self.results, **asked)
        with pytest.MonkeyPatch.context() as patch:  # of the package's own, at 128 px
            patch.setattr("benchmark.planning.lungs.load_suite", lambda name: suite(["unet"]))
            return make_plan(suites, inputs, **options)

    def run(self, plan):
        folders = Folders(self.data_dir, self.cache_dir, self.results.folder)
        return run_plan(plan, folders, ENVIRONMENT, executor=Here(folders, ENVIRONMENT))

    def row(self, model):
        (row,) = (row for row in self.results.rows() if row.spec.model == model)
        return row


@pytest.fixture(scope="module")
def prepared_sets(phantom, tmp_path_factory):
    findings, data_dir, cache_dir = phantom
    raw = fake_raw.write(tmp_path_factory.mktemp("raw"), "kermany_pairs")
    masks = prepare(find_dataset(MASKS), data_dir, raw)
    return masks, findings, data_dir, cache_dir


@pytest.fixture(scope="module")
def applied(prepared_sets, tmp_path_factory):
    """A lung variant, asked for in an empty results folder; (folder, row, its plan)."""
    lungs = Lungs(*prepared_sets, tmp_path_factory.mktemp("applied") / "results")
    plan = lungs.plan(suite(["linear"], FINDINGS, preprocessing=["lungs_removed"]))
    assert lungs.run(plan) == {"done": 2}
    return lungs, lungs.row("linear"), plan


@pytest.fixture(scope="module")
def trained(applied, prepared_sets, tmp_path_factory):
    """The mean mask and a U-Net, trained for a moment: the one that the lung variant needed."""
    lungs = Lungs(*prepared_sets, tmp_path_factory.mktemp("lungs") / "results")
    lend(applied[0], lungs)
    assert lungs.run(lungs.plan(suite(["mean_mask", "unet"]))) == {"done": 1}
    return lungs


@pytest.fixture
def bare(prepared_sets, tmp_path):
    """The same sets with no network trained."""
    return Lungs(*prepared_sets, tmp_path / "results")


def test_masks_and_findings_go_to_the_models_that_predict_them(bare):
    both = suite(["*"], MASKS, datasets=[MASKS, FINDINGS])
    files = discover()
    pairs = {(p.spec.dataset, files[p.spec.model].card["predicts"]) for p in bare.plan(both).specs}
    assert pairs == {(MASKS, "masks"), (FINDINGS, "findings")}


def test_a_suite_without_a_model_for_a_set_is_left_out_beside_others_and_said(bare):
    with pytest.raises(UserError, match=r"suite test has no model .* Name a suite that has one"):
        bare.plan(suite(["cnn"]))
    with pytest.raises(UserError, match="suite test has no model"):
        bare.plan(suite(["cnn"]), suite(["unet"], FINDINGS))
    plan = bare.plan(suite(["cnn"]), suite(["unet"]))
    assert {planned.spec.model for planned in plan.specs} == {"unet"}
    (said,) = plan.unanswered.values()
    assert said == f"suite test has no model for {MASKS}, which holds masks."


def test_what_has_no_meaning_for_masks_is_refused(bare):
    for axis, value in (("imbalance", "weighted"), ("preprocessing", "lung_masked")):
        (planned,) = bare.plan(suite(["unet"], **{axis: [value]})).specs
        assert value in planned.refusal


def test_a_network_learns_and_the_rows_say_what_was_run(trained):
    row = trained.row("unet")
    assert row.model.parameters == 1946305
    assert len(row.history.loss) == len(row.history.val_dice)
    assert row.history.loss[-1] < row.history.loss[0]
    assert row.protocol.mask_size == SIZE
    assert trained.row("mean_mask").history is None
    assert {r.protocol.id for r in trained.results.rows()} == {row.protocol.id}


def test_the_counts_are_those_of_the_saved_masks(trained):
    results = trained.results
    for row in results.rows():
        counts = read_mask_counts(results.predictions_path(row.spec_id))
        ids, masks = packed_masks(results.masks_path(row.spec_id))
        assert counts.image_id.tolist() == ids.tolist()
        assert set(counts.pairing) == {"unique", "seq"}
        test = counts.split == "test"
        view = open_masks(trained.masks, "test", SIZE, trained.cache_dir)
        assert view.image_ids.tolist() == ids[test].tolist()
        wanted = count_pixels(masks[test], view.images == 255, view.images != 127)
        np.testing.assert_array_equal(counts.counts[test], wanted)


def test_a_rerun_that_fails_keeps_the_masks_of_the_finished_row(bare, monkeypatch):
    baseline = suite(["mean_mask"])
    assert bare.run(bare.plan(baseline)) == {"done": 1}
    path = bare.results.masks_path(bare.row("mean_mask").spec_id)
    before = path.stat()

    def refused(*given, **options):
        raise UserError("they cannot be scored")

    with monkeypatch.context() as patch:
        patch.setattr(running, "check", refused)
        assert bare.run(bare.plan(baseline, rerun="all")) == {"failed": 1}
    assert path.stat() == before
    assert bare.run(bare.plan(baseline, rerun="all")) == {"done": 1}
    assert path.stat().st_mtime_ns > before.st_mtime_ns


def test_masks_have_a_table_of_their_own(trained):
    text = write(trained.results).read_text()
    assert "## Lung segmentation" in text
    assert "unet" in text.split("## Lung segmentation")[1]
    content = json.loads((trained.results.folder / "leaderboard.json").read_text())
    assert content["configurations"] == []
    assert {entry["model"] for entry in content["lung_segmentation"]} == {"mean_mask", "unet"}
    lines = pd.read_csv(trained.results.folder / "lung_segmentation.csv")
    assert len(lines) == 2 * 3 * 3  # runs, splits, groups of images
    assert not lines["edited"].any()
    assert lines["stale"].isna().all()


def test_the_best_and_worst_masks_are_drawn(trained, tmp_path):
    folders = {"data_dir": trained.data_dir, "cache_dir": trained.cache_dir, "out": tmp_path}
    folders["results"] = trained.results.folder
    spec_id = trained.row("unet").spec_id
    draw_row(f"unet@{trained.row('unet').spec.dataset}", **folders)
    with Image.open(tmp_path / f"{spec_id}.png") as figure:
        assert figure.width > figure.height > 400
    assert (tmp_path / f"{spec_id}.svg").read_text().count("<image") == 6  # of seven test images
    with pytest.raises(UserError, match=r"(?s)called 'unett'.*unet"):
        draw_row("unett", **folders)


def test_a_lung_variant_has_its_network_trained_in_the_same_run(applied, trained):
    lungs, row, plan = applied
    assert [p.spec.model for p in plan.specs] == ["unet", "linear"]
    network = lungs.row("unet")
    assert network.spec_id == trained.row("unet").spec_id, "the spec of the suite of masks"
    assert row.spec.required_ids == {"lungs": network.spec_id}
    assert row.made_from["lungs"].spec_id == network.spec_id
    assert row.made_from["lungs"].weights_sha256 == network.weights_sha256


def test_the_network_that_finds_lungs_is_tested_though_what_it_serves_is_not(applied):
    lungs, _, plan = applied
    without = lungs.plan(suite(["linear"], FINDINGS, preprocessing=["lungs_removed"]), no_test=True)
    (linear,) = without.specs
    assert linear.spec.no_test
    assert linear.spec.requires == plan.specs[-1].spec.requires, "the same network"
    assert lungs.run(without)["done"] == 1
    row = next(row for row in lungs.results.rows() if row.spec.no_test)
    assert row.lungs.left_whole.keys() == {"train", "validation"}
    lungs.results.remove_row(row.spec_id)


def test_masks_are_not_predicted_without_test(bare):
    (planned,) = bare.plan(suite(["unet"]), no_test=True).specs
    assert "rows of kind masks are made with them" in planned.refusal


def test_images_without_usable_lungs_are_counted(applied):
    lungs, row, _ = applied
    for split, left in row.lungs.left_whole.items():
        view = open_lungs(lungs.findings, split, row.lungs.network, lungs.cache_dir, lungs.results)
        assert left == sum(usable_mask(image, SIZE) is None for image in view.images)
    told = "Images left whole" in write(lungs.results).read_text()
    assert told == any(row.lungs.left_whole.values())


def lend(lender, borrower, **dataset):
    """Copy the U-Net's row and its files to another results folder."""
    row = lender.row("unet")
    for source in lender.results.folder.rglob(f"{row.spec_id}.*"):
        target = borrower.results.folder / source.relative_to(lender.results.folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(source.read_bytes())
    borrower.results.write_row(replace(row, dataset=replace(row.dataset, **dataset)))


def test_a_network_is_not_used_where_its_masks_are_unsafe(prepared_sets, tmp_path):
    masks, *others = prepared_sets
    unsafe = replace(masks.facts, unsafe_for=["thorax_phantom"])
    lungs = Lungs(dataclasses.replace(masks, facts=unsafe), *others, tmp_path)
    (planned,) = lungs.plan(suite(["linear"], FINDINGS, preprocessing=["lung_masked"])).specs
    assert "may hold test images of thorax_phantom/small" in planned.refusal


def test_masks_that_are_not_prepared_are_asked_for(prepared_sets, tmp_path):
    _, findings, data_dir, cache_dir = prepared_sets
    lungs = Lungs(NotPrepared(MASKS, data_dir), findings, data_dir, cache_dir, tmp_path)
    wanted = suite(["linear"], FINDINGS, preprocessing=["raw", "lung_masked"])
    raw, masked = lungs.plan(wanted).specs
    assert raw.refusal is None
    assert f"cxr-bench prepare {MASKS}" in masked.refusal


def test_a_network_whose_weights_are_gone_is_trained_again_for_who_needs_it(bare, trained):
    lend(trained, bare)
    spec_id = trained.row("unet").spec_id
    weights = bare.results.weights_path(spec_id)
    kept = weights.read_bytes()
    weights.unlink()
    wanted = suite(["linear"], FINDINGS, preprocessing=["lung_masked"])
    assert [(p.spec.model, p.status) for p in bare.plan(wanted).specs] == [
        ("unet", "missing"),
        ("linear", "missing"),
    ]
    assert [p.status for p in bare.plan(suite(["unet"])).specs] == ["done"], "nobody needs them"
    weights.write_bytes(kept)
    assert [p.spec.model for p in bare.plan(wanted).to_run()] == ["linear"]


def test_a_filter_finds_a_variant_without_its_network(trained):
    wanted = suite(["linear"], FINDINGS, preprocessing=["raw", *VARIANTS])
    (planned,) = trained.plan(wanted, wanted={"preprocessing": {"lung_cropped"}}).to_run()
    assert planned.spec.preprocessing == "lung_cropped"
    assert planned.spec.required_ids == {"lungs": trained.row("unet").spec_id}


def test_the_variants_show_what_the_network_found(trained):
    spec_id = trained.row("unet").spec_id
    folders = (trained.cache_dir, trained.results)
    raw = open_view(trained.findings, "test", 48, "raw", trained.cache_dir).images
    lungs = open_lungs(trained.findings, "test", spec_id, *folders).images
    assert lungs.shape == (len(raw), SIZE, SIZE)
    masks = [usable_mask(probabilities, 48) for probabilities in lungs]
    usable = [i for i, mask in enumerate(masks) if mask is not None]
    assert usable
    wanted = suite(["linear"], FINDINGS, preprocessing=[*VARIANTS], resolutions=[48])
    views = {
        p.spec.preprocessing: open_prepared_view(trained.findings, "test", p.spec, *folders).images
        for p in trained.plan(wanted).to_run()
    }
    for i in usable:
        np.testing.assert_array_equal(views["lung_masked"][i], np.where(masks[i], raw[i], 0))
        both = views["lung_masked"][i].astype(int) + views["lungs_removed"][i]
        np.testing.assert_array_equal(both, raw[i])
    for i in set(range(len(raw))) - set(usable):
        for view in views.values():
            np.testing.assert_array_equal(view[i], raw[i])


def test_weights_that_are_not_those_of_the_row_are_refused(bare, trained):
    lend(trained, bare)
    spec_id = trained.row("unet").spec_id
    bare.results.weights_path(spec_id).write_bytes(b"other")
    with pytest.raises(UserError, match="not what row"):
        open_lungs(bare.findings, "test", spec_id, bare.cache_dir, bare.results)


def test_a_network_of_other_code_is_stale_and_so_is_what_it_prepared(bare, trained, monkeypatch):
    lend(trained, bare)
    monkeypatch.setattr("benchmark.training.VERSION", 99)
    wanted = suite(["linear"], FINDINGS, preprocessing=["lung_masked"])
    plan = bare.plan(suite(["unet"]), wanted, rerun="stale")
    assert [(p.spec.model, p.status) for p in plan.to_run()] == [
        ("unet", "stale"),
        ("linear", "missing"),
    ]


def test_a_network_that_was_trained_anew_makes_what_it_prepared_stale(applied, trained):
    lungs, after, _ = applied
    wanted = suite(["linear"], FINDINGS, preprocessing=["lungs_removed"])
    assert [p.status for p in lungs.plan(wanted).specs] == ["done"]
    row = lungs.row("unet")
    lungs.results.write_row(replace(row, weights_sha256="0" * 64))
    try:
        assert [p.status for p in lungs.plan(wanted).specs] == ["stale"]
    finally:
        lungs.results.write_row(row)
    assert after.made_from["lungs"].weights_sha256 == row.weights_sha256


def test_degenerate_masks_are_not_used():
    empty, full = np.zeros((16, 16), np.uint8), np.full((16, 16), 255, np.uint8)
    half = np.concatenate([empty[:8], full[:8]])
    assert usable_mask(empty, 32) is None
    assert usable_mask(full, 32) is None
    assert usable_mask(half, 32).mean() == pytest.approx(0.5, abs=0.05)


@pytest.mark.real
def test_the_mean_mask_on_real_lungs(real_data, tmp_path):
    masks = prepare(find_dataset(MASKS), tmp_path / "data", real_data / "lung_masks")
    lungs = Lungs(masks, None, tmp_path / "data", tmp_path / "cache", tmp_path / "results")
    assert lungs.run(lungs.plan(suite(["mean_mask"]))) == {"done": 1}
    test = stored_mask_scores(lungs.results, lungs.row("mean_mask")).splits["test"]
    assert (test["all"].n_images, test["all"].n_patients) == (333, 248)
    assert test["unique"].n_images + test["seq"].n_images == 333
    assert test["unique"].overlaps["dice"] == pytest.approx(0.825, abs=0.01)
