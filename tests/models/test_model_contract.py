"""The contract of image models, for every file in benchmark/models and for a scaffolded one."""

from __future__ import annotations

import ast

import keras
import numpy as np
import pytest

from benchmark.models import NotApplicable, check_size, create, discover, measure, weight_files
from benchmark.models._scaffold import STATEMENT
from benchmark.task import Task

# Keras 3.15 itself converts its variables in a way that NumPy 2 is about to drop.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
to_numpy = keras.ops.convert_to_numpy

CLASSIFIERS = {"inputs": "image", "predicts": "findings"}
IMAGE_MODELS = [n for n, f in discover().items() if CLASSIFIERS.items() <= f.card.items()]
SLOW = {
    *("convnext_tiny", "densenet121", "densenet121_s0", "densenet169", "mobilenetv2_densenet169"),
    *("efficientnet_lite1", "efficientnet_lite2", "efficientnetb0", "efficientnetb6"),
    *("efficientnetb7", "efficientnetv2b0", "googlenet", "mobilenetv2", "resnet50"),
    *("s2_cnn", "thamilarasi2", "thamilarasi3", "thamilarasi4", "vit_keras_hub"),
}
"""Deep ones, for which vgg16, efficientnet_lite0 and vit stand in a quick run, and variants."""
TASKS = {
    "binary": Task(("pneumonia",), "binary"),
    "multilabel": Task(("effusion", "mass", "nodule"), "multilabel"),
    "multiclass": Task(("normal", "bacteria", "virus"), "multiclass"),
}


def one_by_one(names):
    """Each model's tests in one process, where they share what was built."""
    for name in names:
        marks = [pytest.mark.xdist_group(name)] + [pytest.mark.slow] * (name in SLOW)
        yield pytest.param(name, marks=marks)


@pytest.fixture(scope="module", params=one_by_one([*IMAGE_MODELS, "scaffolded"]))
def model_file(request, model_files):
    model_file = model_files[request.param]
    for package, how in model_file.card["packages"].items():
        pytest.importorskip(package, reason=how)
    return model_file


@pytest.fixture(scope="module")
def size(model_file):
    """The smallest side worth testing: 32 px, or the least the model takes."""
    return max(32, model_file.card["min_size"])


def seeded(model_file, size, task, seed):
    keras.utils.set_random_seed(seed)
    return create(model_file, size, TASKS[task], "own")


def learnt(model):
    """Copies of all weights that can learn."""
    return [np.array(to_numpy(weight)) for weight in model.trainable_variables]


@pytest.fixture(scope="module")
def built(model_file, size):
    """A model of multilabel findings before it is trained, and its weights at that time."""
    model = seeded(model_file, size, "multilabel", 7)
    return model, learnt(model)


@pytest.fixture(scope="module")
def other(model_file, size):
    """A model of as many exclusive findings, from another seed, in mixed precision."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        return seeded(model_file, size, "multiclass", 8)
    finally:
        keras.config.set_dtype_policy(before)


@pytest.fixture
def images(size):
    return np.random.default_rng(0).uniform(size=(5, size, size, 1)).astype("float32")


def logits_of(model, images):
    return to_numpy(model(images, training=False))


def test_every_built_in_file_is_sound():
    assert {file.problem for file in discover().values()} == {None}


def test_card_statement_is_true(model_file):
    stated = model_file.card if model_file.built_in else ast.literal_eval(f"{{{STATEMENT}\n}}")
    measured = measure(model_file)
    assert measured["count"] == stated["parameters"]["count"]
    assert measured["gmacs_224"] == pytest.approx(stated["gmacs_224"], rel=1e-3)


def test_every_backend_takes_the_names_of_the_weights(built):
    """PyTorch takes none with a dot; it is not among the packages of the tests."""
    assert not [weight.path for weight in built[0].weights if "." in weight.path]


def test_initial_weights_follow_the_seed(model_file, size, built, other):
    again = learnt(seeded(model_file, size, "multilabel", 7))
    assert all(map(np.array_equal, again, built[1]))
    assert all(map(np.array_equal, learnt(other), built[1])) == model_file.card["deterministic"]


def test_builds_at_the_smallest_size(model_file, size, other):
    least = model_file.card["min_size"]
    model = other if size == least else seeded(model_file, least, "multiclass", 8)
    assert model.input_shape == (None, least, least, 1)
    assert model.output_shape == (None, 3)
    images = np.linspace(0, 1, 2 * least * least, dtype="float32").reshape(2, least, least, 1)
    assert np.isfinite(logits_of(model, images)).all()


def test_training_changes_all_weights_that_can_learn(built, images):
    model, before = built
    trained = keras.Sequential([model])  # or the optimizer is saved with the model below
    trained.compile(
        keras.optimizers.Adam(1e-3),
        keras.losses.BinaryCrossentropy(from_logits=True),
        run_eagerly=True,
    )
    targets = np.array([[1, 0, 1], [0, 1, 0], [1, 1, 0], [0, 0, 1], [1, 0, 0]], dtype="float32")
    losses = [float(trained.train_on_batch(images, targets)) for _ in range(2)]
    assert np.isfinite(losses).all()
    for old, weight in zip(before, model.trainable_variables, strict=True):
        assert np.isfinite(to_numpy(weight)).all(), weight.path
        if not weight.path.endswith("key/bias"):  # softmax takes no notice of what all keys share
            assert not np.array_equal(old, to_numpy(weight)), weight.path


def test_saved_model_predicts_the_same(built, images, tmp_path):
    model, _ = built
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(logits_of(again, images), logits_of(model, images))


def test_predictions_do_not_depend_on_the_batch(built, images):
    together = logits_of(built[0], images)
    apart = np.concatenate([logits_of(built[0], part) for part in (images[:1], images[1:])])
    np.testing.assert_allclose(apart, together, rtol=1e-3, atol=1e-4)


def test_head_and_normalisation_stay_float32(other, images):
    assert other.get_layer("normalisation").compute_dtype == "float32"
    network = other.layers[-1]
    assert network.get_layer("logits").compute_dtype == "float32"
    assert {layer.compute_dtype for layer in network.layers} >= {"bfloat16"}
    assert {weight.dtype for weight in other.weights if "float" in weight.dtype} == {"float32"}
    output = other(images, training=False)
    assert keras.backend.standardize_dtype(output.dtype) == "float32"
    assert np.isfinite(to_numpy(output)).all()


def test_a_model_that_takes_weights_says_where_its_backbone_ends(model_file, built):
    network = built[0].layers[-1]
    if model_file.card["weights"]:
        assert len(network.get_layer("features").output.shape) == 2
        assert weight_files(model_file)


def test_sizes_outside_the_limits_are_refused(model_file):
    least, most = model_file.card["min_size"], model_file.card["max_size"]
    for size in [least - 1] + ([most + 1] if most else []):
        with pytest.raises(NotApplicable, match=f"{model_file.name} takes images .* not {size} px"):
            check_size(model_file, size)
        with pytest.raises(NotApplicable):
            create(model_file, size, TASKS["binary"], "own")


@pytest.mark.slow
@pytest.mark.parametrize(("name", "size"), [("vgg16", 224), ("thamilarasi1", 512)])
def test_trains_at_full_size(name, size):
    model = seeded(discover()[name], size, "binary", 7)
    before = learnt(model)
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(1e-3), loss, jit_compile=False)
    images = np.random.default_rng(0).uniform(size=(2, size, size, 1)).astype("float32")
    assert np.isfinite(float(model.train_on_batch(images, np.array([[0.0], [1.0]]))))
    assert not any(np.array_equal(a, b) for a, b in zip(before, learnt(model), strict=True))
