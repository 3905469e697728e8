"""Numbers that can be checked by hand or in a paper: normalisation, cost, heads, weight files."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from benchmark.errors import UserError
from benchmark.models import NORMALISATIONS, create, discover, new_model
from benchmark.models._macs import multiply_adds
from benchmark.models._normalisation import Normalisation, imagenet_to_minus1_1
from benchmark.task import Task

# Keras 3.15 itself converts its variables in a way that NumPy 2 is about to drop.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
to_numpy = keras.ops.convert_to_numpy
BINARY = Task(("pneumonia",), "binary")
APPLICATIONS = {
    "caffe": keras.applications.resnet50.preprocess_input,
    "minus1_1": keras.applications.mobilenet_v2.preprocess_input,
    "imagenet": keras.applications.densenet.preprocess_input,
}


def normalised(method, images, channels=3):
    return to_numpy(Normalisation(method, channels)(images))


@pytest.fixture
def images():
    return np.random.default_rng(0).uniform(size=(3, 6, 5, 1)).astype("float32")


@pytest.mark.parametrize("method", APPLICATIONS)
def test_own_normalisation_is_that_of_keras_applications(method, images):
    expected = APPLICATIONS[method](np.repeat(images * 255, 3, axis=-1))
    np.testing.assert_allclose(normalised(method, images), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("channels", [1, 3])
def test_standardised_images_have_mean_0_and_deviation_1_each(images, channels):
    scaled = images * np.array([1.0, 0.1, 0.5], dtype="float32").reshape(3, 1, 1, 1)
    result = normalised("standardise", scaled, channels)
    assert result.shape == (3, 6, 5, channels)
    np.testing.assert_allclose(result.mean(axis=(1, 2, 3)), 0, atol=1e-5)
    np.testing.assert_allclose(result.std(axis=(1, 2, 3)), 1, rtol=1e-4)


@pytest.mark.parametrize("level", [0.0, 0.3, 1.0])
def test_a_flat_image_standardises_to_zeros(level):
    flat = np.full((1, 64, 64, 1), level, "float32")
    np.testing.assert_allclose(normalised("standardise", flat), 0, atol=1e-4)


def test_unit_leaves_the_values_alone(images):
    np.testing.assert_array_equal(normalised("unit", images), np.repeat(images, 3, axis=-1))


def test_normalisation_is_made_again_from_its_config(images):
    layer = Normalisation("imagenet", 3, name="normalisation")
    again = Normalisation.from_config(layer.get_config())
    np.testing.assert_array_equal(again(images), layer(images))
    assert again.name == layer.name


def test_imagenet_images_turn_into_those_of_minus1_1(images):
    turned = to_numpy(imagenet_to_minus1_1(normalised("imagenet", images)))
    np.testing.assert_allclose(turned, normalised("minus1_1", images), atol=1e-6)


@pytest.mark.parametrize("name", ["linear", "googlenet"])  # one of 1 channel, one of 3
@pytest.mark.parametrize("method", NORMALISATIONS)
def test_create_puts_the_normalisation_asked_for_before_the_network(name, method):
    model_file = discover()[name]
    layer = create(model_file, 32, BINARY, method).get_layer("normalisation")
    own = model_file.card["own_normalisation"]
    assert layer.method == (own if method == "own" else method)
    assert layer.output.shape == (None, 32, 32, model_file.card["channels"])


def test_multiply_adds_by_hand():
    inner = keras.Sequential([keras.Input((4, 4, 6)), keras.layers.DepthwiseConv2D(3)])
    model = keras.Sequential(
        [
            keras.Input((8, 8, 2)),
            keras.layers.Conv2D(6, 3, strides=2, padding="same", groups=2),  # 4*4*6 * 3*3*1
            inner,  # 2*2*6 * 3*3
            keras.layers.Flatten(),
            keras.layers.Dense(5),  # 24*5
        ]
    )
    assert multiply_adds(model) == 864 + 216 + 120


def test_multiply_adds_of_attention_by_hand():
    tokens = keras.Input((5, 6))
    attended = keras.layers.MultiHeadAttention(num_heads=2, key_dim=4)(tokens, tokens)
    model = keras.Model(tokens, keras.layers.Dense(3)(attended))
    projections = 5 * (3 * 6 * 8 + 8 * 6)  # query, key, value, and back
    pairs = 2 * 5 * 5 * 8  # scores, and values by them
    assert multiply_adds(model) == projections + pairs + 5 * 6 * 3


def test_cnn_learns_a_square_wherever_it_is():
    rng = np.random.default_rng(0)
    images = rng.uniform(0, 0.5, size=(256, 32, 32, 1)).astype("float32")
    targets = np.arange(256)[:, None] % 2
    for image, (row, column) in zip(images[1::2], rng.integers(0, 26, (128, 2)), strict=True):
        image[row : row + 6, column : column + 6] += 0.5
    keras.utils.set_random_seed(0)
    model = create(discover()["cnn"], 32, BINARY, "own")
    model.compile("adam", keras.losses.BinaryCrossentropy(from_logits=True), jit_compile=False)
    model.fit(images[:192], targets[:192], epochs=4, verbose=0)
    logits = model.predict(images[192:], verbose=0)
    assert ((logits > 0) == targets[192:]).mean() > 0.95


def test_scaffold_refuses_names_that_cannot_be(tmp_path):
    for name in ("", "My Model", "2fast", "../escape", "a-b", "_hidden", "model.py"):
        with pytest.raises(UserError, match="cannot be a model's name"):
            new_model(name, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_scaffold_overwrites_nothing(tmp_path):
    with pytest.raises(UserError, match="built-in model 'cnn'"):
        new_model("cnn", tmp_path)
    path = new_model("mine", tmp_path / "made" / "on_the_way")
    path.write_text("work of a week")
    with pytest.raises(UserError, match="exists already"):
        new_model("mine", path.parent)
    assert path.read_text() == "work of a week"
    assert discover([new_model("other", path.parent).parent])["other"].problem is None
