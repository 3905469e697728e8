"""What a plan says of weights before anything is trained: there, missing, or not to be trusted."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import pytest

from benchmark.data.prepared import load_prepared
from benchmark.execution.ancestry import overlap
from benchmark.execution.cost import nominal_seconds
from benchmark.execution.starting_weights import remove_superseded, weights_watermarks
from benchmark.records.files import sha256_of_file
from benchmark.training import published
from tests.execution.conftest import Bench, make_suite
from tests.execution.weight_files import CARD, write_tiny


@pytest.fixture
def bench(phantom, tmp_path, monkeypatch):
    """A bench with the model ``tiny`` and no weight file yet."""
    monkeypatch.setenv("CXR_BENCH_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "tiny.py").write_text(CARD)
    return Bench(phantom, tmp_path / "results", [tmp_path / "models"])


def one(bench, weights, **options):
    (planned,) = bench.plan(make_suite(["tiny"], weights=[weights], **options)).cells
    return planned


def write_row(bench, cell, status="done", **facts):
    row = {"cell_id": cell.cell_id, "cell": cell.as_dict(), "status": status} | facts
    bench.results.write_row({"model": {"sha256": ""}} | row)


def weights_of(bench, cell):
    """Pretend that a cell was run and saved its weights."""
    write_row(bench, cell)
    path = bench.results.weights_path(cell.cell_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"weights of " + cell.cell_id.encode())
    return path


def test_missing_weights_refuse_the_cell_and_nothing_else(bench):
    suite = make_suite(["tiny", "linear"], weights=["random", "imagenet_frozen"])
    plan = bench.plan(suite)
    assert sorted(p.cell.model for p in plan.to_run()) == ["linear", "tiny"]
    reasons = {p.cell.model: p.refusal for p in plan.cells if p.refusal}
    assert "no tiny_notop.h5 in" in reasons["tiny"]
    assert "--weights-dir" in reasons["tiny"]
    assert "no weights are published for model linear" in reasons["linear"]


def test_the_bytes_of_the_weights_are_in_the_id(bench, tmp_path):
    path = write_tiny(tmp_path / "weights")
    first = one(bench, "imagenet_frozen").cell
    assert first.weights_sha256 == sha256_of_file(path)
    write_tiny(tmp_path / "weights", seed=1)
    assert one(bench, "imagenet_frozen").cell.cell_id != first.cell_id


@pytest.mark.parametrize(("weights", "cells"), [("random", 2), ("imagenet_frozen", 1)])
def test_a_frozen_cell_has_no_augmentation(bench, weights, cells):
    suite = make_suite(["tiny"], weights=[weights], augmentation=["none", "standard"])
    found = [p.cell.augmentation for p in bench.plan(suite).cells]
    assert found == ["none", "standard"][:cells]


def test_a_refusal_ends_when_the_weights_arrive(bench, tmp_path):
    plan = bench.plan(make_suite(["tiny"], weights=["imagenet_frozen"]))
    assert bench.run(plan) == {"not_runnable": 1}
    write_tiny(tmp_path / "weights")
    plan = bench.plan(make_suite(["tiny"], weights=["imagenet_frozen"]))
    assert len(plan.to_run()) == 1
    remove_superseded([p.cell for p in plan.cells], bench.results)
    assert list(bench.results.rows()) == []


def test_a_cell_that_was_done_stays_done_when_its_weights_are_gone(bench, tmp_path):
    write_tiny(tmp_path / "weights")
    done = one(bench, "imagenet_frozen")
    write_row(bench, done.cell, model={"sha256": done.model_file.sha256})
    shutil.rmtree(tmp_path / "weights")
    plan = bench.plan(make_suite(["tiny"], weights=["imagenet_frozen"]), rerun="all")
    assert [p.cell.cell_id for p in plan.cells] == [done.cell.cell_id]
    assert plan.summary() == {"done": 1}
    assert plan.to_run() == plan.refused() == []


def test_a_row_to_continue_from_must_be_there_with_its_weights(bench):
    source = one(bench, "random").cell
    policy = f"from:{source.cell_id}"
    assert f"no row {source.cell_id}" in one(bench, policy).refusal
    write_row(bench, source)
    assert "--rerun all" in one(bench, policy).refusal
    path = weights_of(bench, source)
    found = one(bench, policy)
    assert found.refusal is None
    assert found.cell.weights_sha256 == sha256_of_file(path)
    write_row(bench, source, status="failed")
    assert "it is failed" in one(bench, policy).refusal


@pytest.mark.parametrize(
    ("other", "fault"),
    [({"size": 24}, "resolution 16, this cell 24"), ({"normalisation": ["own"]}, "normalisation")],
)
def test_weights_are_continued_with_the_same_input_only(bench, other, fault):
    source = one(bench, "random").cell
    weights_of(bench, source)
    assert fault in one(bench, f"from:{source.cell_id}", **other).refusal


def test_a_frozen_cell_is_priced_by_one_pass(bench, tmp_path):
    write_tiny(tmp_path / "weights")
    options = {"size": 224, "recipe": {"epochs": 10}}
    prices = {
        weights: nominal_seconds(
            one(bench, weights, **options).cell, {"gmacs_224": 4.0}, bench.prepared.counts
        )
        for weights in ("random", "imagenet_frozen")
    }
    assert prices["imagenet_frozen"] < prices["random"] / 10


def test_weights_that_are_not_the_published_ones_are_watermarked(bench, tmp_path, monkeypatch):
    path = write_tiny(tmp_path / "weights")
    cell = one(bench, "imagenet_frozen").cell

    def marks():
        return weights_watermarks(cell, bench.prepared, [path], bench.results)

    assert marks() == []
    monkeypatch.setattr(published, "PUBLISHED", {path.name: ("", "0" * 32)})
    assert marks() == ["weights that are not the published ones: tiny_notop.h5"]


@pytest.fixture
def other_split(bench):
    """``thorax_phantom/other``: the same images, of which test is what was train; (cell, facts)."""
    mine = bench.prepared
    folder = mine.path.parents[1] / "other" / mine.version
    folder.mkdir(parents=True)
    manifest = mine.manifest().copy()
    swapped = {"train": "test", "test": "train", "validation": "validation"}
    manifest["split"] = manifest["split"].map(swapped)
    manifest.to_csv(folder / "manifest.csv", index=False)
    (folder / "metadata.json").write_text(json.dumps(mine.facts))
    (folder / "prepared.json").write_text(json.dumps(mine.derived | {"manifest_sha256": "other"}))
    yield load_prepared("thorax_phantom/other", mine.path.parents[2])
    shutil.rmtree(folder.parent)


def seen(bench, source, **changes):
    """What is said of a cell on the small phantom that continues from ``source``."""
    write_row(bench, source)
    cell = replace(one(bench, "random").cell, weights=f"from:{source.cell_id}", **changes)
    return overlap(cell, bench.prepared, bench.results)


def elsewhere(bench, prepared, **changes):
    """A cell on another split."""
    cell = one(bench, "random").cell
    values = {"dataset": prepared.name, "manifest_sha256": prepared.manifest_sha256}
    return replace(cell, **values | changes)


def test_weights_of_the_same_split_have_not_seen_its_test_images(bench):
    assert seen(bench, one(bench, "random").cell) == []


def test_weights_that_learnt_from_test_patients_are_told(bench, other_split):
    (reason,) = seen(bench, elsewhere(bench, other_split))
    n = bench.prepared.counts["test"]["images"]
    assert f"trained on thorax_phantom/other: {n} of {n} test images" in reason


def test_weights_of_another_patients_are_not_told(bench, other_split):
    manifest = other_split.manifest()
    manifest["patient_id"] = "q" + manifest["patient_id"].astype(str)
    manifest["sha256"] = "q" + manifest["sha256"]
    manifest.to_csv(other_split.path / "manifest.csv", index=False)
    assert seen(bench, elsewhere(bench, other_split)) == []


def test_the_same_image_in_another_builders_set_is_told(bench, other_split):
    folder = bench.data_dir / "image_folder" / "mine" / "1.0.0"
    shutil.copytree(other_split.path, folder)
    (reason,) = seen(bench, elsewhere(bench, other_split, dataset="image_folder/mine"))
    assert "test images are of patients it learnt from" in reason
    shutil.rmtree(folder.parents[1])


def test_what_cannot_be_compared_is_told_within_a_builder(bench, other_split):
    gone = elsewhere(bench, other_split, manifest_sha256="gone")
    assert "not here to compare" in seen(bench, gone)[0]
    assert seen(bench, replace(gone, dataset="padchest/other")) == []


def test_another_protocol_of_the_same_images_is_told(bench):
    legacy = replace(one(bench, "random").cell, protocol="legacy_s3")
    assert "under another protocol" in seen(bench, legacy)[0]


def test_weights_are_followed_to_where_they_began(bench, other_split):
    first = elsewhere(bench, other_split)
    write_row(bench, first)
    second = replace(one(bench, "random").cell, weights=f"from:{first.cell_id}")
    (reason,) = seen(bench, second)
    assert first.cell_id in reason
    bench.results.remove_row(first.cell_id)
    assert "is gone" in seen(bench, second)[0]
