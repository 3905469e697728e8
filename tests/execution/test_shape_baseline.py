"""The model of the file's shape as a spec: refused with the reason, run, and what its id holds."""

from __future__ import annotations

import re

import numpy as np
import pytest

from benchmark.kinds.metadata_baseline_run import _lines
from benchmark.protocols import find, spec_data
from benchmark.records.predictions import read_predictions
from benchmark.scoring.stored import stored_scores
from tests.data.shaped_sets import NAME, lines_of, shaped, telling
from tests.execution.conftest import Bench, make_suite

GEOMETRY = "geometry_only"


def suite(*models, **matrix):
    return make_suite(models, datasets=[NAME], **matrix)


def bench_of(prepared, tmp_path) -> Bench:
    return Bench((prepared, tmp_path, tmp_path / "cache"), tmp_path / "results")


def planned(bench, *models, **options):
    others = [(NAME, bench.prepared)]
    return bench.plan(suite(*models), others=others, **options)


def test_it_runs_where_shapes_differ_and_finds_what_they_tell(tmp_path):
    lines = lines_of()
    prepared = shaped(tmp_path, lines, **telling(lines))
    bench = bench_of(prepared, tmp_path)
    bench.run(planned(bench, "constant", GEOMETRY))
    row = bench.rows()[GEOMETRY]
    assert row.spec.shapes_sha256 == prepared.shapes_sha256
    assert row.spec.seed == 0
    assert row.model.deterministic
    auc = stored_scores(bench.results, row).splits["test"].metrics["auc"]
    assert auc == pytest.approx(0.9, abs=0.1)
    assert "shapes_sha256" not in bench.rows()["constant"].spec.as_dict()


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ({"width": 1024, "height": 1024}, "all files of .* same shape"),
        ({}, "not known.*--sizes FILE"),
        ({"width": 1024, "height": 1024, "spacing": [0.1] * 90 + [None] * 90}, "same shape"),
    ],
)
def test_it_is_refused_with_the_reason_where_it_is_named(tmp_path, numbers, said):
    lines = lines_of()
    each = {k: v if isinstance(v, list) else [v] * len(lines) for k, v in numbers.items()}
    bench = bench_of(shaped(tmp_path, lines, **each), tmp_path)
    (spec,) = planned(bench, GEOMETRY).specs
    assert spec.refusal is not None
    assert re.search(said, spec.refusal)
    bench.run(planned(bench, GEOMETRY))
    assert bench.rows()[GEOMETRY].status == "not_runnable"


def test_one_unknown_image_is_enough_to_refuse(tmp_path):
    lines = lines_of()
    sizes = {k: v.astype(float) for k, v in telling(lines).items()}
    for values in sizes.values():
        values[7] = np.nan
    (spec,) = planned(bench_of(shaped(tmp_path, lines, **sizes), tmp_path), GEOMETRY).specs
    assert "1 of the 180 images" in spec.refusal


def models_of(plan) -> set[str]:
    return {each.spec.model for each in plan.specs}


def test_a_star_stands_for_it_only_where_there_are_such_data(tmp_path):
    lines = lines_of()
    same = bench_of(shaped(tmp_path, lines, width=[8] * 180, height=[8] * 180), tmp_path)
    assert GEOMETRY not in models_of(planned(same, "constant", "*"))
    named = planned(same, "constant", "*", wanted={"model": {GEOMETRY}})
    assert models_of(named) == {GEOMETRY}, "who names it is told why not"
    told = bench_of(shaped(tmp_path, lines, **telling(lines)), tmp_path)
    assert GEOMETRY in models_of(planned(told, "constant", "*"))


def test_other_shapes_make_another_spec(tmp_path):
    lines = lines_of()
    bench = bench_of(shaped(tmp_path, lines, **telling(lines)), tmp_path)
    plan = planned(bench, GEOMETRY)
    bench.prepared = shaped(tmp_path, lines, **telling(lines, seed=9))
    again = planned(bench, GEOMETRY)
    assert plan.specs[0].spec.spec_id != again.specs[0].spec.spec_id
    bench.run(plan)
    row = bench.rows()[GEOMETRY]
    assert row.status == "failed"
    assert "recorded anew after this spec was planned" in row.reason


def test_a_copy_has_the_shape_of_its_original(tmp_path):
    """Legacy splits draw from all images and turn copies of some; a limit and a probe take few."""
    lines = lines_of(30)
    numbers = {"width": np.arange(90) + 100, "height": np.arange(90) + 100}
    prepared = shaped(tmp_path, lines, **numbers)
    bench = bench_of(prepared, tmp_path)
    place = {image: k for k, image in enumerate(lines["image_id"])}
    for name in ("published", "legacy_s0", "legacy_s3"):
        protocol = find(name)
        (spec,) = bench.plan(
            make_suite(["constant"], datasets=[f"{NAME}@{name}"], imbalance=["copies_s3"]),
            others=[(NAME, prepared)],
        ).specs
        data = spec_data(spec.spec, protocol.apply(prepared))
        for each in data.values():
            originals = [place[image.partition("~")[0]] for image in each.part.image_id]
            np.testing.assert_array_equal(_lines(prepared, each), originals)


def test_predictions_of_a_limited_run_are_of_its_images(tmp_path):
    lines = lines_of()
    prepared = shaped(tmp_path, lines, **telling(lines))
    bench = bench_of(prepared, tmp_path)
    bench.run(planned(bench, GEOMETRY, limit=20))
    row = bench.rows()[GEOMETRY]
    path = bench.results.predictions_path(row.spec_id, row.dataset.redistributable)
    predictions = read_predictions(path, "binary")
    assert len(predictions.split) == 60
