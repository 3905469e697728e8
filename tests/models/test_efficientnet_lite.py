"""EfficientNet-Lite: what is published of it, and what its weights see in pictures.

The packages of Lite1 and Lite2 are not in the extra ``test``; what needs them is skipped there.
"""

from __future__ import annotations

import keras
import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_sample_images

from benchmark.errors import UserError
from benchmark.models import create, discover, load
from benchmark.models._efficientnet_lite import _fill as fill
from benchmark.models._macs import multiply_adds
from benchmark.models._normalisation import Normalisation
from benchmark.models._torch_checkpoint import read_tensors
from benchmark.task import Task
from benchmark.training.frozen import cut
from benchmark.training.weight_files import MissingWeights
from benchmark.training.weight_sources.imagenet import files
from tests.models.checkpoints import checkpoint

# Keras 3.15 itself converts its variables in a way that NumPy 2 is about to drop.
pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.xdist_group("efficientnet_lite"),
]
to_numpy = keras.ops.convert_to_numpy
BINARY = Task(("pneumonia",), "binary")
IMAGENET = Task(tuple(f"class {i}" for i in range(1000)), "multiclass")
PALACE, DAISY = 698, 985

PUBLISHED = {
    # name: size, parameters that are trained and multiply-adds, both in 1e6
    "efficientnet_lite0": (224, 4.7, 407),
    "efficientnet_lite1": (240, 5.4, 631),
    "efficientnet_lite2": (260, 6.1, 899),
}


def weights_of(name):
    """Path of the published checkpoint; skipped where its package is not part of the test extra."""
    try:
        (path,) = files("imagenet", discover()[name], None, ())
    except MissingWeights as error:
        if name == "efficientnet_lite0":
            raise
        pytest.skip(str(error))
    return str(path)


def pictures(size):
    """The centre squares of china.jpg and flower.jpg: float32 (2, size, size, 3) in [0, 1]."""
    squares = []
    for picture in load_sample_images().images:
        height, width, _ = picture.shape
        side = min(height, width)
        top, left = (height - side) // 2, (width - side) // 2
        square = Image.fromarray(picture[top : top + side, left : left + side])
        squares.append(np.asarray(square.resize((size, size), Image.Resampling.BICUBIC)))
    return np.stack(squares).astype("float32") / 255


def classifier(name, size):
    """The network with the published classifier on top: images in [0, 1] to probabilities."""
    model_file, path = discover()[name], weights_of(name)
    network = load(model_file).build((size, size, 3), IMAGENET, path)
    tensors = read_tensors(path)
    network.get_layer("logits").set_weights([tensors["_fc.weight"].T, tensors["_fc.bias"]])
    normalisation = Normalisation(model_file.card["own_normalisation"], 3)
    return lambda images: to_numpy(
        keras.ops.softmax(network(normalisation(images), training=False))
    )


def test_lite0_sees_a_palace_and_a_daisy():
    probabilities = classifier("efficientnet_lite0", 224)(pictures(224))
    assert probabilities.argmax(axis=1).tolist() == [PALACE, DAISY]
    np.testing.assert_allclose(probabilities.max(axis=1), [0.301, 0.228], atol=0.01)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["efficientnet_lite1", "efficientnet_lite2"])
def test_the_larger_ones_see_a_palace(name):
    size = PUBLISHED[name][0]
    assert classifier(name, size)(pictures(size)[:1]).argmax() == PALACE


@pytest.mark.parametrize("name", PUBLISHED)
def test_parameters_and_cost_are_those_published(name):
    size, trained, megamacs = PUBLISHED[name]
    network = load(discover()[name]).build((size, size, 3), IMAGENET, None)
    counted = sum(np.prod(weight.shape) for weight in network.trainable_variables)
    assert counted / 1e6 == pytest.approx(trained, abs=0.05)
    # Theirs count normalisation and activations, too: a twentieth of it.
    assert multiply_adds(network) / 1e6 == pytest.approx(megamacs / 1.05, rel=0.01)


@pytest.mark.parametrize("name", PUBLISHED)
def test_every_tensor_of_the_checkpoint_has_its_place(name):
    tensors = read_tensors(weights_of(name))
    loaded = {k: v for k, v in tensors.items() if not k.endswith("num_batches_tracked")}
    assert sum(v.size for v in loaded.values()) == discover()[name].card["parameters"]["count"]


@pytest.mark.parametrize("size", [64, pytest.param(128, marks=pytest.mark.slow)])
def test_features_at_other_sizes_tell_the_pictures_apart(size):
    model = create(
        discover()["efficientnet_lite0"], size, BINARY, "own", weights_of("efficientnet_lite0")
    )
    backbone, head = cut(model)
    grey = pictures(size).mean(axis=-1, keepdims=True)
    features = backbone.predict_on_batch(grey)
    assert features.shape == (2, 1280)
    assert 0 <= features.min() < features.max() <= 6, "means of what ReLU6 lets through"
    assert np.corrcoef(features)[0, 1] < 0.9
    assert head.output_shape == (None, 1)


@pytest.fixture(scope="module")
def tensors():
    """Those of the checkpoint of Lite0."""
    return read_tensors(weights_of("efficientnet_lite0"))


WRONG = {
    "transposed": ({"_conv_stem.weight": lambda w: w.transpose(1, 0, 2, 3)}, "shape"),
    "absent": ({"_blocks.3._bn1.running_var": None}, r"_blocks\.3\._bn1\.running_var"),
    "more": ({"_blocks.16._bn0.weight": np.zeros(3, "f4")}, r"no layer takes _blocks\.16\._bn0"),
    "whole numbers": (
        {"_bn0.weight": lambda w: w.astype("i8")},
        r"lacks _bn0\.weight, .* not float32",
    ),
}


@pytest.fixture(scope="module")
def backbone():
    """Lite0 up to its features."""
    network = load(discover()["efficientnet_lite0"]).build((32, 32, 3), BINARY, None)
    return keras.Model(network.inputs, network.get_layer("features").output)


@pytest.mark.parametrize("case", WRONG)
def test_a_checkpoint_of_another_network_is_refused(case, tensors, backbone, tmp_path):
    changes, fault = WRONG[case]
    changed = dict(tensors)
    for name, change in changes.items():
        changed[name] = change(tensors[name]) if callable(change) else change
    path = tmp_path / "other.pth"
    path.write_bytes(checkpoint({k: v for k, v in changed.items() if v is not None}))
    with pytest.raises(UserError, match=rf"other\.pth .*{fault}"):
        fill(backbone, str(path))


def test_a_checkpoint_of_another_scale_is_refused():
    with pytest.raises(UserError, match=r"efficientnet-lite0-57934424\.pth does not fit"):
        create(
            discover()["efficientnet_lite2"], 32, BINARY, "own", (weights_of("efficientnet_lite0"))
        )
