"""What a row trained, out of its results folder: predictions of files, and the network itself."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from click.testing import CliRunner

from benchmark.cli import main
from benchmark.data.decode import raw_examples
from benchmark.records.predictions import read_predictions
from benchmark.records.store import Results
from tests.execution.conftest import Bench, make_suite
from tfds_builders.archives import Folder

N = 20


@pytest.fixture(scope="module")
def trained(phantom, tmp_path_factory):
    """A results folder with rows of two preparations, and twenty test images as files."""
    folder = tmp_path_factory.mktemp("out")
    bench = Bench(phantom, folder / "results")
    recipe = {"epochs": 1}
    bench.run(bench.plan(make_suite(["cnn"], recipe=recipe, normalisation=["standardise"])))
    equalised = make_suite(["linear"], recipe=recipe, preprocessing=["equalise"], seeds=[0, 1, 2])
    bench.run(bench.plan(equalised))
    images = folder / "images"
    for example in raw_examples(bench.prepared.path, "test").take(N).as_numpy_iterator():
        path = images / f"{example['image_id'].decode()}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(example["image"])
    return bench, images


@pytest.fixture(autouse=True)
def _as_it_is(monkeypatch):
    """A framework that has begun cannot be set up again."""
    monkeypatch.setattr("benchmark.training.network.configure_framework", lambda environment: None)


def cxr_bench(bench, *words, data=True):
    folders = ["--results", bench.results.folder]
    folders += ["--data-dir", bench.data_dir] if data else []
    told = CliRunner().invoke(main, [*map(str, (*words, *folders))])
    assert isinstance(told.exception, SystemExit | None), told.exc_info
    return told.exit_code, told.output


@pytest.mark.parametrize("model", ["cnn", "linear"])
def test_files_get_the_probabilities_of_the_prediction_file(trained, tmp_path, model):
    bench, images = trained
    row = bench.rows()[model]
    out = tmp_path / "told.csv"
    code, said = cxr_bench(bench, "predict", row.spec_id, images, "--out", out)
    assert code == 0, said
    told = pd.read_csv(out, dtype={"image_id": str, "spec_id": str})
    assert len(told) == N
    test = read_predictions(bench.results.predictions_path(row.spec_id), "multilabel").part("test")
    at = {image: i for i, image in enumerate(test.image_id)}
    lines = [at[name.removesuffix(".png")] for name in told["image_id"]]
    for k, finding in enumerate(test.findings):
        np.testing.assert_allclose(
            told[f"probability:{finding}"], test.probabilities[lines, k], rtol=1e-5, atol=1e-6
        )


def test_the_seeds_of_a_configuration_share_one_reading(trained, tmp_path, monkeypatch):
    """And one network, so that nothing is compiled once a seed; in parts of a folder."""
    from benchmark.kinds import unlabelled_run

    bench, images = trained
    rows = [row for row in bench.results.rows() if row.spec.model == "linear"]
    monkeypatch.setattr(unlabelled_run, "EVALUATION_BATCH", 8)
    monkeypatch.setattr(unlabelled_run, "HELD", 0)
    read, built = [], []
    of_files, fresh = Folder.read, unlabelled_run.fresh_model
    monkeypatch.setattr(Folder, "read", lambda *a: read.append(a[1]) or of_files(*a))
    monkeypatch.setattr(unlabelled_run, "fresh_model", lambda *a: built.append(a) or fresh(*a))
    out = tmp_path / "told.csv"
    code, said = cxr_bench(bench, "predict", rows[0].config_id, images, "--out", out)
    assert (code, len(rows)) == (0, 3), said
    assert len(read) == len(set(read)) == N
    assert len(built) == 1
    told = pd.read_csv(out, dtype={"image_id": str, "spec_id": str})
    assert told.groupby("seed").size().to_dict() == {0: N, 1: N, 2: N}
    for spec_id, mine in told.groupby("spec_id"):
        test = read_predictions(bench.results.predictions_path(spec_id), "multilabel").part("test")
        lines = [[*test.image_id].index(name.removesuffix(".png")) for name in mine["image_id"]]
        column = f"logit:{test.findings[0]}"
        np.testing.assert_allclose(mine[column], test.logits[lines, 0], rtol=1e-4, atol=1e-5)


def test_what_is_no_image_is_left_out_and_named(trained, tmp_path):
    bench, images = trained
    for path in sorted(images.iterdir())[:2]:
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "notes.txt").write_text("no image")
    (tmp_path / "loop").symlink_to(tmp_path)
    code, said = cxr_bench(bench, "predict", bench.rows()["linear"].spec_id, tmp_path)
    assert code == 0, said
    assert "Left out: notes.txt: not an image in a known format" in said
    assert "Left out: loop: a folder that is read already, by another path" in said
    assert said.count(".png,") == 2


def test_a_folder_without_images_is_refused(trained, tmp_path):
    code, said = cxr_bench(trained[0], "predict", trained[0].rows()["cnn"].spec_id, tmp_path)
    assert (code, "holds no image" in said) == (2, True)


def test_another_preparation_is_refused(trained, monkeypatch):
    bench, images = trained
    row = bench.rows()["cnn"]
    with monkeypatch.context() as patch:
        patch.setattr("benchmark.kinds.code.DECODE_VERSION", 99)
        code, said = cxr_bench(bench, "predict", row.spec_id, images)
    assert (code, "has changed since row" in said) == (2, True), said


def test_squashed_copies_are_refused_for_a_network_that_saw_none(trained):
    from benchmark.errors import UserError
    from benchmark.kinds.unlabelled_run import _Reader
    from tests.records.rows import a_spec

    _, images = trained
    read = _Reader(
        Folder(images),
        a_spec(dataset="thorax_phantom/small", preprocessing="pad", resolution=16),
        tf.uint8,
    )
    read.images([path.name for path in sorted(images.iterdir())][:3])
    with pytest.raises(UserError, match="all of these are square already"):
        read.check_shapes()


LOAD = """
import sys
import keras, numpy as np
model = keras.saving.load_model(sys.argv[1])
images = np.load(sys.argv[2])
np.save(sys.argv[3], model.predict(images, verbose=0))
assert not [name for name in sys.modules if name.startswith("benchmark")]
"""


def test_plain_keras_loads_an_exported_network(trained, tmp_path):
    from benchmark.data.views import open_view

    bench, _ = trained
    row = bench.rows()["cnn"]
    out = tmp_path / "cnn.keras"
    code, said = cxr_bench(bench, "weights", "export", row.spec_id, "--out", out, data=False)
    assert code == 0, said
    assert "Out: probabilities of" in said
    assert [path.name for path in tmp_path.iterdir()] == ["cnn.keras"]
    view = open_view(bench.prepared, "test", 16, "raw", bench.cache_dir)
    np.save(tmp_path / "images.npy", view.images[..., None].astype(np.float32) / 255)
    paths = [out, tmp_path / "images.npy", tmp_path / "told.npy"]
    command = [sys.executable, "-P", "-c", LOAD, *map(str, paths)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    test = read_predictions(bench.results.predictions_path(row.spec_id), "multilabel").part("test")
    told = np.load(tmp_path / "told.npy")
    np.testing.assert_allclose(told, test.probabilities, rtol=1e-4, atol=1e-5)


def test_a_network_that_is_not_here_cannot_be_exported(trained, tmp_path):
    bench, _ = trained
    row = bench.rows()["cnn"]
    elsewhere = Results(tmp_path / "results")
    elsewhere.write_row(row)
    told = CliRunner().invoke(
        main, ["weights", "export", row.spec_id, "--results", str(elsewhere.folder)]
    )
    assert (told.exit_code, "the weights are not here" in told.output) == (2, True)
