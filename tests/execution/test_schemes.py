"""Every training scheme, run by a worker on a tiny model, its weights in the published layout."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from msgspec.structs import replace

from benchmark.data.views import open_view
from benchmark.hashing import sha256_of_file
from benchmark.models import create, discover
from benchmark.records.predictions import read_predictions
from benchmark.report.export.leaderboard import write
from benchmark.task import Task
from benchmark.training.frozen import cut
from benchmark.training.warm_start import warm_start
from tests.execution.conftest import Bench, make_suite
from tests.execution.weight_files import (
    CARD,
    as_published,
    models_with_weights,
    write_legacy,
)

RANDOM_FROZEN, FROZEN = ("frozen", "random"), ("frozen", "imagenet")
FINETUNE = ("finetune", "imagenet")
SCHEMES = [RANDOM_FROZEN, FROZEN, FINETUNE]
"""Scheme and what it begins from."""
RECIPE = {"epochs": 2, "head_epochs": 3, "learning_rate": 0.01, "patience": 9}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Folder with the model ``tiny`` and, where weights are looked for, its weight file."""
    with models_with_weights(tmp_path_factory.mktemp("tiny"), tiny=CARD) as folder:
        yield folder


def tiny_suite(scheme, weights, models=("tiny",), recipe=None, **options):
    recipe = RECIPE | (recipe or {})
    return make_suite(models, scheme=[scheme], weights=[weights], recipe=recipe, **options)


def tiny_suites(*models, seeds):
    """One for each scheme."""
    return [tiny_suite(*each, models, seeds=seeds) for each in SCHEMES]


@pytest.fixture(scope="module")
def ran(phantom, folder, tmp_path_factory):
    """All schemes with two seeds each, and another bench that found the features computed."""
    prepared, data_dir, _ = phantom
    cold = (prepared, data_dir, tmp_path_factory.mktemp("cold"))
    bench = Bench(cold, tmp_path_factory.mktemp("ran"), [folder / "models"])
    ended = bench.run(bench.plan(*tiny_suites("tiny", "linear", seeds=(0, 1))))
    warm = Bench(cold, tmp_path_factory.mktemp("warm"), [folder / "models"])
    warm.run(warm.plan(*tiny_suites("tiny", seeds=(1,))))
    assert ended == {"done": 6, "not_runnable": 6}
    return bench, warm


def rows(bench, began, model="tiny"):
    """By seed the rows of a scheme that began from these weights."""
    found = [
        row
        for row in bench.results.rows()
        if (row.spec.scheme, row.spec.weights) == began and row.spec.model == model
    ]
    return sorted(found, key=lambda row: row.spec.seed)


def loaded(bench, row):
    """The whole model of a row, from the weights it saved."""
    model_file = discover(bench.models_dirs)["tiny"]
    model = create(model_file, row.spec.resolution, bench.prepared.task, "unit")
    model.load_weights(bench.results.weights_path(row.spec_id))
    return model


def network(bench, row):
    return loaded(bench, row).layers[-1]


def start(folder, name):
    """An array of the weight file."""
    import h5py

    with h5py.File(folder / "weights" / "tiny_notop.h5") as file:
        layer = name.split("/")[0]
        return file[layer][f"{name}:0"][()]


def test_features_are_computed_once_a_view_and_shared_between_seeds_and_schemes(ran):
    bench, _ = ran
    # three splits: of each seed's random backbone, and once of the published one
    assert len(list((bench.cache_dir / "features").glob("*.npy"))) == 3 * 2 + 3


def test_the_same_spec_gives_the_same_bytes_with_features_cold_or_warm(ran):
    bench, warm = ran
    files = list((warm.results.folder / "predictions").iterdir())
    assert len(files) == 3
    for path in files:
        cold = bench.results.folder / "predictions" / path.name
        assert path.read_bytes() == cold.read_bytes()


@pytest.mark.parametrize("began", SCHEMES)
def test_predictions_are_those_of_the_whole_model_that_was_saved(ran, began):
    bench, _ = ran
    row = rows(bench, began)[0]
    view = open_view(bench.prepared, "test", 16, "raw", bench.cache_dir)
    whole = loaded(bench, row).predict(view.images[..., None] / np.float32(255), verbose=0)
    path = bench.results.predictions_path(row.spec_id)
    saved = read_predictions(path, bench.prepared.task.kind).part("test").logits
    np.testing.assert_allclose(saved, whole, rtol=1e-4, atol=1e-5)


def test_a_frozen_backbone_stays_as_it_was_loaded(ran, folder):
    bench, _ = ran
    for row in rows(bench, FROZEN):
        layers = network(bench, row)
        np.testing.assert_array_equal(layers.get_layer("conv").kernel, start(folder, "conv/kernel"))
        for name in ("gamma", "beta", "moving_mean", "moving_variance"):
            values = getattr(layers.get_layer("bn"), name)
            np.testing.assert_array_equal(values, start(folder, f"bn/{name}"))
    first, second = (network(bench, row) for row in rows(bench, FROZEN))
    assert not np.array_equal(first.get_layer("hidden").kernel, second.get_layer("hidden").kernel)


def test_a_random_frozen_backbone_follows_the_seed_and_has_the_statistics_of_the_start(ran):
    bench, _ = ran
    first, second = (network(bench, row) for row in rows(bench, RANDOM_FROZEN))
    assert not np.array_equal(first.get_layer("conv").kernel, second.get_layer("conv").kernel)
    np.testing.assert_array_equal(first.get_layer("bn").moving_mean, np.zeros(6))
    np.testing.assert_array_equal(first.get_layer("bn").moving_variance, np.ones(6))


def test_fine_tuning_moves_all_but_the_batch_normalisation(ran, folder):
    bench, _ = ran
    layers = network(bench, rows(bench, FINETUNE)[0])
    kernel, began = np.asarray(layers.get_layer("conv").kernel), start(folder, "conv/kernel")
    assert not np.array_equal(kernel, began)
    np.testing.assert_allclose(kernel, began, atol=0.1)
    for name in ("gamma", "beta", "moving_mean", "moving_variance"):
        values = getattr(layers.get_layer("bn"), name)
        np.testing.assert_array_equal(values, start(folder, f"bn/{name}"))


def test_batch_normalisation_learns_with_the_rest_where_the_recipe_says_so(ran, folder):
    bench, _ = ran
    suite = tiny_suite(*FINETUNE, seeds=(7,), recipe={"batch_norm": "training"})
    assert bench.run(bench.plan(suite)) == {"done": 1}
    (row,) = (row for row in rows(bench, FINETUNE) if row.spec.seed == 7)
    for name in ("gamma", "beta", "moving_mean", "moving_variance"):
        values = getattr(network(bench, row).get_layer("bn"), name)
        assert not np.array_equal(values, start(folder, f"bn/{name}"))


def test_the_history_says_which_epoch_belongs_to_which_stage(ran):
    bench, _ = ran
    history = rows(bench, FINETUNE)[0].history
    assert history.stages == [("head", 3), ("all layers", 2)]
    assert len(history.loss) == len(history.val_auc) == 5
    assert history.best_epoch in (3, 4)
    frozen = rows(bench, FROZEN)[0].history
    # the head begins alike in both, under rates that fall more slowly over three epochs than two
    assert frozen.loss[0] == pytest.approx(history.loss[0], rel=0.1)
    assert frozen.stages is None


def test_rows_say_where_the_weights_came_from(ran, folder):
    bench, _ = ran
    path = folder / "weights" / "tiny_notop.h5"
    row = rows(bench, FROZEN)[0]
    hashed = sha256_of_file(path)
    assert row.spec.weights_sha256 == hashed
    (file,) = row.starting_weights.files
    assert (file.name, file.sha256, file.as_published) == (path.name, hashed, None)
    assert row.starting_weights.source == {"imagenet": "us, CC0"}
    assert "without image augmentation" in row.starting_weights.features
    assert row.made_from == {}
    at_random = rows(bench, RANDOM_FROZEN)[0]
    assert at_random.spec.weights_sha256 is None
    assert "features" in at_random.phases


def test_the_leaderboard_says_it_too(ran):
    text = write(ran[0].results).read_text()
    assert "Backbone frozen, its features computed once for each view, so without image" in text
    assert "Published weights (imagenet; us, CC0)" in text
    assert "First the head alone, for at most 3 epochs" in text


def test_a_row_is_continued(ran, folder):
    bench, _ = ran
    source = rows(bench, FINETUNE)[0]
    began = "continue", f"from:{source.spec_id}"
    suite = tiny_suite(*began, recipe={"epochs": 1, "learning_rate": 1e-6, "warmup_steps": 0})
    assert bench.run(bench.plan(suite)) == {"done": 1}
    (row,) = rows(bench, began)
    saved = bench.results.weights_path(source.spec_id)
    (file,) = row.starting_weights.files
    assert (file.name, file.sha256) == (saved.name, sha256_of_file(saved))
    assert row.made_from["weights"].spec_id == source.spec_id
    assert row.made_from["weights"].weights_sha256 == source.weights_sha256 == file.sha256
    assert row.watermarks == []
    for ours, theirs in zip(
        network(bench, row).trainable_weights,
        network(bench, source).trainable_weights,
        strict=True,
    ):
        np.testing.assert_allclose(ours, theirs, atol=1e-3)


def test_another_number_of_findings_starts_the_last_layer_anew(ran, folder, tmp_path):
    tiny = discover([folder / "models"])["tiny"]
    two, three = Task(("a", "b"), "multilabel"), Task(("a", "b", "c"), "multiclass")
    source, model = (create(tiny, 16, task, "unit") for task in (two, three))
    path = tmp_path / "source.weights.h5"
    source.save_weights(path)
    fresh = model.layers[-1].get_layer("logits").get_weights()
    warm_start(model, path, two, lambda task: create(tiny, 16, task, "unit"))
    for name in ("conv", "bn", "hidden"):
        ours, theirs = (m.layers[-1].get_layer(name).get_weights() for m in (model, source))
        for one, other in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(one, other)
    for one, other in zip(model.layers[-1].get_layer("logits").get_weights(), fresh, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_model_that_says_nowhere_what_to_freeze_is_not_runnable(ran):
    for row in rows(ran[0], RANDOM_FROZEN, "linear"):
        assert row.status == "not_runnable"
        assert "no layer 'features'" in row.error.reason
    for row in rows(ran[0], FROZEN, "linear"):
        assert "no weights are published for model linear" in row.error.reason


def test_weights_in_the_published_layout_fill_a_published_network(tmp_path):
    keras.utils.set_random_seed(1)
    application = keras.applications.MobileNetV2(
        include_top=False, weights=None, input_shape=(32, 32, 3), pooling="avg"
    )
    model_file = discover()["mobilenetv2"]
    path = write_legacy(tmp_path / model_file.card["weight_files"][0], as_published(application))
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = create(model_file, 32, Task(("a",), "binary"), "own", str(path))
    finally:
        keras.config.set_dtype_policy("float32")
    backbone, head = cut(model)
    for ours, theirs in zip(backbone.weights, application.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    images = np.random.default_rng(0).random((3, 32, 32, 1), np.float32)
    features = np.asarray(backbone.predict(images, verbose=0), np.float32)
    np.testing.assert_allclose(
        head.predict(features, verbose=0), model.predict(images, verbose=0), rtol=1e-5, atol=1e-6
    )


def test_specs_without_files_keep_their_ids(ran):
    bench, _ = ran
    (planned, *_) = bench.plan(tiny_suite("scratch", "random")).specs
    assert "weights_sha256" not in planned.spec.as_dict()
    changed = replace(planned.spec, weights_sha256="0" * 64)
    assert changed.spec_id != planned.spec.spec_id


def test_a_row_that_is_trained_anew_with_other_bits_makes_what_continued_it_stale(ran):
    bench, _ = ran
    source = rows(bench, FROZEN)[1]
    suite = tiny_suite("continue", f"from:{source.spec_id}", recipe={"epochs": 1})
    assert bench.run(bench.plan(suite)) == {"done": 1}
    assert [p.status for p in bench.plan(suite).specs] == ["done"]
    path = bench.results.row_path(source.spec_id)
    kept = path.read_bytes()
    bench.results.write_row(replace(source, weights_sha256="0" * 64))
    try:
        assert [p.status for p in bench.plan(suite).specs] == ["stale"]
    finally:
        path.write_bytes(kept)


def test_weights_that_are_gone_or_changed_are_made_anew_by_the_row_that_saves_them(ran):
    bench, _ = ran
    source = rows(bench, FROZEN)[1]
    suite = tiny_suite("continue", f"from:{source.spec_id}", recipe={"epochs": 2})
    path = bench.results.weights_path(source.spec_id)
    kept = path.read_bytes()
    try:
        for harm in (path.unlink, lambda: path.write_bytes(b"x")):
            harm()
            plan = bench.plan(suite)
            assert [p.refusal for p in plan.specs] == [None, None]
            assert plan.to_run()[0].spec == source.spec
        assert bench.run(plan) == {"done": 2}
        assert bench.plan(suite).to_run() == []
    finally:
        path.write_bytes(kept)
        bench.results.remove_row(plan.specs[-1].spec.spec_id)
