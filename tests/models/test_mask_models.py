"""The contract of models that predict masks, and what is wrong with the published wiring."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from benchmark.models import ModelError, create, discover, fit, measure
from benchmark.models import _unet as unet_file
from benchmark.task import LUNG

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
to_numpy = keras.ops.convert_to_numpy

NETWORKS = ["unet", pytest.param("unet_batchnorm", marks=pytest.mark.slow), "unet_legacy"]


@pytest.fixture(scope="module", params=NETWORKS)
def model_file(request):
    return discover()[request.param]


@pytest.fixture(scope="module")
def built(model_file):
    keras.utils.set_random_seed(7)
    return create(model_file, 24, LUNG, "own")


@pytest.fixture
def images():
    return np.random.default_rng(0).uniform(size=(3, 24, 24, 1)).astype("float32")


def test_card_statement_is_true(model_file):
    measured = measure(model_file)
    assert measured["count"] == model_file.card["parameters"]["count"]
    assert measured["gmacs_224"] == pytest.approx(model_file.card["gmacs_224"], rel=1e-3)


@pytest.mark.parametrize("size", [16, 21, 32])
def test_a_mask_has_the_size_of_its_image(model_file, size):
    model = create(model_file, size, LUNG, "own")
    assert model.output_shape == (None, size, size, 1)
    logits = model(np.ones((1, size, size, 1), "float32"), training=False)
    assert logits.dtype == "float32"
    assert np.isfinite(to_numpy(logits)).all()


def test_training_changes_all_weights(built, images):
    before = [to_numpy(weight) for weight in built.trainable_variables]
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    built.compile(keras.optimizers.Adam(1e-3), loss, run_eagerly=True)
    masks = (images > 0.5).astype("float32")
    for _ in range(2):
        assert np.isfinite(float(built.train_on_batch(images, masks)))
    for old, weight in zip(before, built.trainable_variables, strict=True):
        assert not np.array_equal(old, to_numpy(weight)), weight.path


def test_saved_model_predicts_the_same(built, images, tmp_path):
    built.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    before, after = (to_numpy(model(images, training=False)) for model in (built, again))
    np.testing.assert_array_equal(after, before)


@pytest.mark.parametrize(("legacy", "dead"), [(True, [0]), (False, [])])
def test_the_published_wiring_gives_the_first_convolution_no_gradient(legacy, dead, monkeypatch):
    made = []

    class Recorded(keras.layers.Conv2D):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            made.append(self)

    monkeypatch.setattr(unet_file.keras.layers, "Conv2D", Recorded)
    images = keras.Input((8, 8, 1))
    level = keras.Model(images, unet_file.convolve(images, 4, batch_norm=False, legacy=legacy))
    with tf.GradientTape() as tape:
        output = level(np.random.default_rng(1).uniform(size=(2, 8, 8, 1)).astype("float32"))
        loss = tf.reduce_sum(output)
    gradients = tape.gradient(
        loss, [layer.kernel.value for layer in made], unconnected_gradients="zero"
    )
    assert [i for i, gradient in enumerate(gradients) if not np.any(gradient)] == dead
    assert len(level.trainable_variables) == 2 * (len(made) - len(dead))


def test_the_mean_mask_is_the_share_of_lung_where_it_is_known():
    lung = np.zeros((4, 2, 2, 1), bool)
    lung[:3, 0, 0] = True  # in three of four
    lung[0, 1, 1] = True  # in one, which does not count
    known = np.ones_like(lung)
    known[0, 1, 1] = False
    metadata = {"age": np.zeros(4), "sex": np.array([""] * 4), "view": np.array([""] * 4)}
    predict = fit(discover()["mean_mask"], metadata, lung, known, LUNG)
    logits = predict({name: values[:2] for name, values in metadata.items()})
    assert logits.shape == (2, 2, 2, 1)
    share = 1 / (1 + np.exp(-logits[0, ..., 0]))
    np.testing.assert_allclose(share, [[3.5 / 5, 0.5 / 5], [0.5 / 5, 0.5 / 4]], rtol=1e-6)


def test_a_network_that_predicts_masks_of_another_size_is_refused(tmp_path):
    text = discover()["unet"].path.read_text()
    text = text.replace("return unet(input_shape, task)", "return unet((32, 32, 1), task)")
    (tmp_path / "odd.py").write_text(text)
    with pytest.raises(ModelError, match="input shape"):
        create(discover([tmp_path])["odd"], 24, LUNG, "own")
