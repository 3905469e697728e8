"""Published backbones: what they give, what fills them, where they end, what papers say of them."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from benchmark.errors import UserError
from benchmark.models import NotApplicable, create, discover, weight_files
from benchmark.task import Task
from tests.execution.weight_files import as_published, write_legacy

# Keras 3.15 itself converts its variables in a way that NumPy 2 is about to drop.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
to_numpy = keras.ops.convert_to_numpy
apps = keras.applications
BINARY = Task(("pneumonia",), "binary")
SIZE = 32

BACKBONES = {
    # name: the network in keras.applications, and what Keras does to bytes before it, where the
    # network does not do so itself
    "convnext_tiny": (apps.ConvNeXtTiny, None),
    "efficientnetb0": (apps.EfficientNetB0, None),
    "efficientnetv2b0": (apps.EfficientNetV2B0, None),
    "mobilenetv2": (apps.MobileNetV2, apps.mobilenet_v2.preprocess_input),
    "vgg16": (apps.VGG16, apps.vgg16.preprocess_input),
}

PUBLISHED = {
    # name: parameters and multiply-adds in 1e9 at 224 px, from the paper or reference code, and
    # parameters that ours is known to lack
    "convnext_tiny": (28_589_128, 4.5, 0),
    "densenet121": (8_062_504, 2.9, 0),
    "densenet169": (14_307_880, 3.4, 0),
    "efficientnetb0": (5_330_571, 0.39, 0),
    "efficientnetb6": (43_265_143, 19 * (224 / 528) ** 2, 0),
    "efficientnetb7": (66_658_687, 37 * (224 / 600) ** 2, 0),
    "efficientnetv2b0": (7_200_312, 0.72, 0),
    "mobilenetv2": (3_538_984, 0.3, 0),
    "resnet50": (25_636_712, 3.8, 0),
    "vgg16": (138_357_544, 15.3, 123_642_856 - 513_000),  # three dense layers, for which one
    "vit": (5_717_416, 1.25, 38_016),  # class token and learnt positions
    "vit_keras_hub": (86_567_656, 17.6, 0),
}


@pytest.fixture
def images():
    return np.random.default_rng(0).uniform(size=(2, SIZE, SIZE, 1)).astype("float32")


def published(application, preprocess, images, path):
    """Features of a published network with weights of its own, which it leaves in a file."""
    network = application(
        include_top=False, weights=None, input_shape=(SIZE, SIZE, 3), pooling="avg"
    )
    for layer in network.layers:
        if isinstance(layer, keras.layers.Normalization) and layer.weights:
            mean, deviation = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
            layer.set_weights([mean, deviation**2, np.array(1)])
            layer.finalize_state()
    write_legacy(path, as_published(network))
    levels = np.repeat(images * 255, 3, axis=-1)
    return to_numpy(network(preprocess(levels) if preprocess else levels, training=False))


def features_of(model, images):
    network = model.layers[-1]
    normalised = model.get_layer("normalisation")(images)
    return to_numpy(keras.Model(network.input, network.get_layer("features").output)(normalised))


def each_backbone():
    for name in BACKBONES:
        slow = name in ("convnext_tiny", "efficientnetv2b0")
        yield pytest.param(name, marks=[pytest.mark.slow] * slow)


@pytest.mark.parametrize("name", [*each_backbone()])
def test_features_are_those_of_the_published_network(name, images, tmp_path):
    model_file = discover()[name]
    (file_name,) = weight_files(model_file)
    expected = published(*BACKBONES[name], images, tmp_path / file_name)
    keras.utils.set_random_seed(1)
    model = create(model_file, SIZE, BINARY, "own", weights=str(tmp_path / file_name))
    assert expected.std() > 0
    np.testing.assert_allclose(
        features_of(model, images), expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max()
    )


@pytest.mark.slow
def test_joined_features_are_those_of_both_networks(images, tmp_path):
    model_file = discover()["mobilenetv2_densenet169"]
    paths = [tmp_path / name for name in weight_files(model_file)]
    expected = [
        published(apps.MobileNetV2, apps.mobilenet_v2.preprocess_input, images, paths[0]),
        published(apps.DenseNet169, apps.densenet.preprocess_input, images, paths[1]),
    ]
    model = create(model_file, SIZE, BINARY, "own", weights=tuple(map(str, paths)))
    joined = np.concatenate(expected, axis=1)
    np.testing.assert_allclose(
        features_of(model, images), joined, rtol=1e-3, atol=1e-4 * np.abs(joined).max()
    )


def test_each_of_two_networks_takes_the_file_in_its_place(tmp_path):
    model_file = discover()["mobilenetv2_densenet169"]
    paths = [tmp_path / name for name in weight_files(model_file)]
    other = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    for path in paths:
        write_legacy(path, as_published(other))
    with pytest.raises(UserError, match=r"densenet169.*does not fit mobilenetv2"):
        create(model_file, SIZE, BINARY, "own", weights=tuple(map(str, paths[::-1])))
    with pytest.raises(NotApplicable, match=r"takes 2 weight files .* not 1"):
        create(model_file, SIZE, BINARY, "own", weights=str(paths[0]))


@pytest.mark.parametrize("name", PUBLISHED)
def test_cards_agree_with_what_is_published(name):
    count, gigamacs, lacking = PUBLISHED[name]
    card = discover()[name].card
    assert card["parameters"] == {
        "size": 224,
        "channels": 3,
        "outputs": 1000,
        "count": count - lacking,
    }
    assert card["gmacs_224"] == pytest.approx(gigamacs, rel=0.03)


def test_every_card_with_weights_names_their_files():
    for name, model_file in discover().items():
        assert bool(model_file.card.get("weights")) == bool(weight_files(model_file)), name
    assert weight_files(discover()["resnet50"]) == [
        "resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5"
    ]


def test_moving_averages_follow_within_a_short_training():
    model = create(discover()["mobilenetv2"], SIZE, BINARY, "own")
    layers = model.layers[-1].layers
    norms = [layer for layer in layers if isinstance(layer, keras.layers.BatchNormalization)]
    assert {layer.momentum for layer in norms} == {0.99}


@pytest.mark.slow
def test_the_vision_transformer_of_keras_hub_is_filled_by_a_preset(images, tmp_path):
    models = pytest.importorskip("keras_hub.models", reason="pip install 'cxr-bench[keras_hub]'")
    width = {"hidden_dim": 768, "mlp_dim": 3072, "num_layers": 12, "num_heads": 12}
    backbone = models.ViTBackbone(image_shape=(SIZE, SIZE, 3), patch_size=16, **width)
    backbone.save_to_preset(str(tmp_path))
    path = str(tmp_path / "model.weights.h5")
    model = create(discover()["vit_keras_hub"], SIZE, BINARY, "own", weights=path)
    class_tokens = backbone(np.repeat(images, 3, axis=-1) * 2 - 1)[:, 0]
    np.testing.assert_allclose(features_of(model, images), to_numpy(class_tokens), atol=1e-5)
