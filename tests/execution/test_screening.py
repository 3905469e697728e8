"""Screening protocols: who is trained on what, and an anomaly screen from a suite to its figure."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner
from msgspec import structs

from benchmark import cli
from benchmark.data.discovery import find_dataset
from benchmark.data.prepare import prepare
from benchmark.data.prepared import SPLITS
from benchmark.errors import UnknownName, UserError
from benchmark.hashing import sha256_of_file
from benchmark.kinds import running
from benchmark.models import create, discover
from benchmark.planning.inputs import PlanInputs
from benchmark.planning.resolve import make_plan
from benchmark.protocols import find
from benchmark.records.anomaly_maps import read_anomaly_maps
from benchmark.records.predictions import read_predictions
from benchmark.report.export.leaderboard import write
from benchmark.spec import PUBLISHED
from benchmark.suites.axes import DEFAULTS
from benchmark.suites.ensembles import Ensemble
from benchmark.suites.files import load_suite
from benchmark.suites.suite import Suite
from benchmark.task import Task
from tests.ensembles.conftest import Workbench
from tests.execution.conftest import with_leakage
from tfds_builders.kermany_pneumonia import fake_raw

NAME = "kermany_pneumonia/internal_three_class"
WITHOUT = "without:Viral pneumonia"
SUITE = """
title = "T"
description = "D."
[matrix]
datasets = ["{}"]
models = ["cnn"]
resolutions = [32]
"""


@pytest.fixture(scope="module")
def classes(tmp_path_factory):
    """Three exclusive classes; returns (facts, data folder, cache folder)."""
    raw, data, cache = (tmp_path_factory.mktemp(name) for name in ("raw", "data", "cache"))
    fake_raw.write(raw, patients=40, size=32)
    return prepare(find_dataset(NAME), data, raw), data, cache


def suite(*ensembles, datasets=(f"{NAME}@{WITHOUT}",), models=("cnn",)) -> Suite:
    matrix = {"datasets": [*datasets], "models": [*models], "resolutions": [32], "seeds": [0]}
    recipe = {"epochs": 2, "batch_size": 16, "warmup_steps": 0}
    return Suite("test", "Test", "", DEFAULTS | matrix, recipe, ensembles=ensembles)


def plan(bench, *suites, prepared=None, **options):
    inputs = PlanInputs(discover(), {NAME: prepared or bench.prepared}, bench.results)
    return make_plan(suites, inputs, **options)


def under(protocol, prepared):
    return find(protocol).apply(prepared)


def classes_of(prepared, split):
    part = prepared.part(split)
    return dict(zip(part.image_id, part.targets.argmax(axis=1), strict=True))


def test_the_withheld_class_is_in_test_alone_and_no_normal_image_is_lost(classes):
    whole = classes[0]
    screened = under(WITHOUT, whole)
    data = find(WITHOUT).data(None, screened)
    normal, bacterial, viral = range(3)
    for split in SPLITS:
        truth, part = classes_of(whole, split), data[split].part
        other = viral if split == "test" else bacterial
        assert set(part.image_id) == {i for i, c in truth.items() if c in (normal, other)}
        assert [float(truth[i] == other) for i in part.image_id] == part.targets[:, 0].tolist()
        assert 0 < part.targets.sum() < len(part)
        assert screened.counts[split].positives == {"anomaly": part.targets.sum()}
        np.testing.assert_array_equal(whole.part(split).image_id[data[split].rows], part.image_id)
    assert screened.task.findings == ("anomaly",)
    assert under(PUBLISHED, whole) is under("legacy_s3", whole) is whole


def test_another_withheld_class_is_another_test_set(classes):
    other = under("without:Bacterial pneumonia", classes[0])
    digests = {p.derived.test_digest for p in (classes[0], under(WITHOUT, classes[0]), other)}
    assert len(digests) == 3


@pytest.mark.parametrize("finding", ["viral", "Normal", "anomaly", ""])
def test_what_cannot_be_withheld_lists_the_choices(classes, finding):
    with pytest.raises(UnknownName, match=r"Choices: Bacterial pneumonia, .*Viral pneumonia"):
        under(f"without:{finding}", classes[0])


@pytest.mark.parametrize(
    ("facts", "fault"),
    [
        ({"kind": "multilabel"}, "is a multilabel set"),
        ({"findings": ["A", "B", "Viral pneumonia"]}, "has no class of normal images"),
        ({"findings": ["Normal", "Viral pneumonia"]}, "no class left to train on"),
    ],
)
def test_sets_that_cannot_be_screened_say_why(classes, facts, fault):
    with pytest.raises(UserError, match=fault):
        under(WITHOUT, replace(classes[0], facts=structs.replace(classes[0].facts, **facts)))


def test_suite_files_name_screening_protocols(tmp_path):
    (tmp_path / "good.toml").write_text(SUITE.format(f"{NAME}@{WITHOUT}"))
    assert load_suite("good", tmp_path).datasets == [(NAME, WITHOUT)]
    (tmp_path / "bad.toml").write_text(SUITE.format(f"{NAME}@witout:Viral pneumonia"))
    with pytest.raises(UserError, match=r"bad\.toml: unknown protocol .*without:<finding>"):
        load_suite("bad", tmp_path)
    assert not load_suite("screening").run_all


def test_a_leaking_set_is_not_screened(classes, tmp_path):
    bench = Workbench(classes, tmp_path)
    (planned,) = plan(bench, suite(), prepared=with_leakage(classes[0], "leak")).specs
    assert "leaks: because" in planned.refusal


def test_a_screen_needs_a_withheld_class_and_a_member_with_a_feature_map(classes, tmp_path):
    bench = Workbench(classes, tmp_path / "results")
    screen = Ensemble("screen", "anomaly", ("linear",))
    (_, published) = plan(bench, suite(screen, datasets=[NAME], models=["linear"])).specs
    assert published.refusal.endswith(f"{NAME}@without:<finding>")
    bench.run(plan(bench, suite(screen, models=["linear"])))
    assert "no feature map" in bench.rows()["screen"].error.reason


@pytest.mark.parametrize(("size", "specs"), [(32, 8), (64, 16), (128, 16), (200, 12)])
def test_the_map_is_the_last_one_before_pooling_and_never_too_fine(size, specs):
    from benchmark.kinds.anomaly_run import _map_network

    model = create(discover()["cnn"], size, Task(("anomaly",), "binary"), "unit")
    assert _map_network(model).output_shape == (None, specs, specs, 128)


@pytest.fixture(scope="module")
def finished(classes, tmp_path_factory):
    """A classifier and a screen under the protocol, and the classifier without it."""
    bench = Workbench(classes, tmp_path_factory.mktemp("screening") / "results")
    both = suite(Ensemble("screen", "anomaly", ("cnn",))), suite(datasets=[NAME])
    assert bench.run(plan(bench, *both)) == {"done": 3}
    return bench, both


def screened_rows(bench):
    rows = [row for row in bench.results.rows() if row.spec.protocol == WITHOUT]
    return {row.spec.model: row for row in rows}


def test_the_rows_share_a_table_of_their_own(finished):
    bench = finished[0]
    rows = screened_rows(bench)
    plain = next(row for row in bench.results.rows() if row.spec.protocol == PUBLISHED)
    assert rows["cnn"].protocol == rows["screen"].protocol
    assert rows["cnn"].protocol.id != plain.protocol.id
    assert rows["cnn"].watermarks == rows["screen"].watermarks == []
    assert not rows["cnn"].protocol.legacy
    assert "Viral pneumonia (never trained on) in test" in rows["cnn"].protocol.split
    assert rows["cnn"].dataset.leakage_status == plain.dataset.leakage_status
    assert rows["cnn"].counts["test"].positives.keys() == {"anomaly"}


def test_a_logit_counts_deviations_of_normal_validation_images(finished):
    bench = finished[0]
    row = screened_rows(bench)["screen"]
    found = read_predictions(bench.results.predictions_path(row.spec_id), "binary")
    part = found.part("validation")
    normal = part.logits[part.targets[:, 0] == 0, 0]
    assert normal.mean() == pytest.approx(0, abs=1e-5)
    assert normal.std() == pytest.approx(1, abs=1e-5)
    flagged = normal > row.ensemble.screening.rule.score
    specificity = row.ensemble.screening.validation["score"].specificity
    assert 1 - flagged.mean() == pytest.approx(specificity)


def test_scores_are_those_of_the_saved_maps(finished):
    bench = finished[0]
    row = screened_rows(bench)["screen"]
    maps = read_anomaly_maps(bench.results.anomaly_path(row.spec_id))
    found = read_predictions(bench.results.predictions_path(row.spec_id), "binary").part("test")
    np.testing.assert_array_equal(maps.image_id, found.image_id)
    np.testing.assert_allclose(maps.score, found.logits[:, 0], rtol=1e-5)
    # Halved twice from 32 px before the last convolution.
    assert maps.distances.shape == (len(found.image_id), 8, 8)
    assert row.ensemble.screening.map == [8, 8]
    highest = maps.distances.max(axis=(1, 2))
    assert np.corrcoef(highest, maps.score)[0, 1] == pytest.approx(1, abs=1e-6)
    assert ((maps.confidence >= 0.5) & (maps.confidence <= 1)).all()


def test_nothing_is_run_twice(finished):
    bench, suites = finished
    assert plan(bench, *suites).to_run() == []


def test_a_rerun_that_fails_keeps_the_maps_of_the_finished_row(finished, monkeypatch):
    bench, suites = finished
    path = bench.results.anomaly_path(screened_rows(bench)["screen"].spec_id)
    before = path.stat()

    def refused(*given, **options):
        raise UserError("they cannot be scored")

    monkeypatch.setattr(running, "check", refused)
    again = plan(bench, *suites, wanted={"model": {"screen"}}, rerun="all")
    assert bench.run(again) == {"failed": 1}
    assert path.stat() == before


def test_a_member_whose_weights_were_changed_is_trained_anew_and_the_screen_is_the_same(finished):
    bench, suites = finished
    rows = screened_rows(bench)
    path = bench.results.weights_path(rows["cnn"].spec_id)
    assert rows["screen"].made_from["member:cnn"].weights_sha256 == sha256_of_file(path)
    saved = path.read_bytes()
    path.write_bytes(saved[:-1] + bytes([saved[-1] ^ 1]))
    again = plan(bench, *suites, wanted={"model": {"screen"}}, rerun="all")
    assert bench.run(again) == {"done": 2}
    assert path.read_bytes() == saved
    for name, row in screened_rows(bench).items():
        assert row.predictions_sha256 == rows[name].predictions_sha256
        assert row.ensemble == rows[name].ensemble


def test_the_leaderboard_says_what_the_screen_flags(finished):
    bench = finished[0]
    text = write(bench.results).read_text()
    assert f"{NAME} 1.0.0 without Viral pneumonia" in text
    assert "Seed 0 flags an image whose score is higher" in text


def draw(bench, spec_id, out):
    folders = {
        "results": bench.results.folder, "data-dir": bench.data_dir, "cache-dir": bench.cache_dir,
        "out": out,
    }  # fmt: skip
    options = [text for key, value in folders.items() for text in (f"--{key}", str(value))]
    return CliRunner().invoke(cli.main, ["anomaly-map", spec_id, *options])


def test_the_maps_are_drawn_over_the_images(finished, tmp_path):
    bench = finished[0]
    rows = screened_rows(bench)
    spec_id = rows["screen"].spec_id
    result = draw(bench, spec_id, tmp_path)
    assert result.exit_code == 0, result.output
    assert (tmp_path / f"{spec_id}.png").read_bytes()[1:4] == b"PNG"
    wrong = draw(bench, rows["cnn"].spec_id, tmp_path)
    assert wrong.exit_code != 0
    assert spec_id in wrong.output
    bench.results.anomaly_path(spec_id).rename(tmp_path / "kept.npz")
    gone = draw(bench, spec_id, tmp_path)
    (tmp_path / "kept.npz").rename(bench.results.anomaly_path(spec_id))
    assert "Maps are not published; run the row again" in gone.output.replace("\n", " ")
