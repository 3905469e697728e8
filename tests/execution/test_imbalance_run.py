"""Every imbalance policy from plan to row, on a small set of one finding."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from benchmark.data.discovery import find_dataset
from benchmark.data.prepare import prepare
from benchmark.kinds.job import SpecJob
from benchmark.protocols import find
from benchmark.records.predictions import SPLITS, read_predictions
from benchmark.training.imbalance import AXIS
from tests.execution.conftest import Bench, make_suite
from tfds_builders.image_folder.fake_raw import write_folders


@pytest.fixture(scope="module")
def finished(phantom, tmp_path_factory):
    """One run with every policy; returns (bench, rows by policy)."""
    _, data_dir, cache_dir = phantom
    raw = write_folders(tmp_path_factory.mktemp("raw"), patients=80, size=32)
    for path in sorted((raw / "EFFUSION").iterdir())[8:]:
        path.unlink()  # rare enough for the copies of S1 and of S3 to differ
    binary = prepare(find_dataset("image_folder/effusions"), data_dir, raw)
    bench = Bench((binary, data_dir, cache_dir), tmp_path_factory.mktemp("policies"))
    suite = make_suite(["linear"], imbalance=AXIS.names(), recipe={"epochs": 1, "batch_size": 4})
    assert bench.run(bench.plan(suite)) == {"done": len(AXIS.names())}
    return bench, {row.spec.imbalance: row for row in bench.results.rows()}


def test_every_policy_ends_in_a_row_with_a_loss(finished):
    _, rows = finished
    assert sorted(rows) == AXIS.names()
    losses = {name: row.history.loss[0] for name, row in rows.items()}
    assert np.isfinite(list(losses.values())).all()
    assert len(set(losses.values())) == len(AXIS.names()), "each trains on something else"


def test_what_is_reported_is_the_images_as_they_are(finished):
    bench, rows = finished
    manifest = bench.prepared.manifest()
    for row in rows.values():
        path = bench.results.predictions_path(row.spec_id, redistributable=False)
        predictions = read_predictions(path, "binary")
        for split in SPLITS:
            ids = manifest.loc[manifest["split"] == split, "image_id"].tolist()
            assert predictions.part(split).image_id.tolist() == ids
        assert row.counts == rows["none"].counts


def test_copies_that_a_legacy_protocol_made_before_its_split_are_not_made_again(finished):
    bench, _ = finished
    (planned,) = bench.plan(make_suite(["linear"], imbalance=["copies_s3"])).specs

    def trained_on(protocol):
        data = find(protocol).data(planned.spec, bench.prepared)
        images = {"train": np.zeros((len(data["train"].part), 2, 2), np.uint8)}
        context = SimpleNamespace(cache_dir=None, results=bench.results)
        job = SpecJob(planned.spec, None, bench.prepared, data, context, None, None)
        return len(images["train"]), len(job.training(images).train.images)

    given, trained = trained_on("legacy_s3")
    assert trained == given
    given, trained = trained_on("legacy_s4")
    assert trained > given
