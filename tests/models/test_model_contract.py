"""The contract of image models, for every file in benchmark/models and for a scaffolded one."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from benchmark.models import NotApplicable, check_size, create, discover, measure
from benchmark.task import Task

# Keras 3.15 itself converts its variables in a way that NumPy 2 is about to drop.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
to_numpy = keras.ops.convert_to_numpy

IMAGE_MODELS = [name for name, file in discover().items() if file.card.get("inputs") == "image"]
TASKS = {
    "binary": Task(("pneumonia",), "binary"),
    "multilabel": Task(("effusion", "mass", "nodule"), "multilabel"),
    "multiclass": Task(("normal", "bacteria", "virus"), "multiclass"),
}


@pytest.fixture(scope="module", params=[*IMAGE_MODELS, "scaffolded"])
def model_file(request, model_files):
    return model_files[request.param]


@pytest.fixture(scope="module")
def size(model_file):
    """The smallest side worth testing: 32 px, or the least the model takes."""
    return max(32, model_file.card["min_size"])


@pytest.fixture(scope="module")
def built(model_file, size):
    keras.utils.set_random_seed(7)
    return create(model_file, size, TASKS["multilabel"], "own")


@pytest.fixture
def images(size):
    return np.random.default_rng(0).uniform(size=(5, size, size, 1)).astype("float32")


@pytest.fixture
def mixed_precision():
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    yield
    keras.config.set_dtype_policy(before)


def logits_of(model, images):
    return to_numpy(model(images, training=False))


def test_every_built_in_file_is_sound():
    assert {file.problem for file in discover().values()} == {None}


def test_card_statement_is_true(model_file):
    measured = measure(model_file)
    assert measured["count"] == model_file.card["parameters"]["count"]
    assert measured["gmacs_224"] == pytest.approx(model_file.card["gmacs_224"], rel=1e-3)


@pytest.mark.parametrize("kind", ["binary", "multiclass"])  # `built` is multilabel
def test_builds_at_the_smallest_size(model_file, kind):
    task, size = TASKS[kind], model_file.card["min_size"]
    model = create(model_file, size, task, "own")
    assert model.input_shape == (None, size, size, 1)
    assert model.output_shape == (None, task.n_outputs)
    images = np.linspace(0, 1, 2 * size * size, dtype="float32").reshape(2, size, size, 1)
    assert np.isfinite(logits_of(model, images)).all()


def test_training_changes_all_weights_that_can_learn(built, images):
    before = [to_numpy(weight) for weight in built.trainable_variables]
    built.compile(
        keras.optimizers.Adam(1e-3),
        keras.losses.BinaryCrossentropy(from_logits=True),
        run_eagerly=True,
    )
    targets = np.array([[1, 0, 1], [0, 1, 0], [1, 1, 0], [0, 0, 1], [1, 0, 0]], dtype="float32")
    losses = [float(built.train_on_batch(images, targets)) for _ in range(2)]
    assert np.isfinite(losses).all()
    for old, weight in zip(before, built.trainable_variables, strict=True):
        assert np.isfinite(to_numpy(weight)).all(), weight.path
        assert not np.array_equal(old, to_numpy(weight)), weight.path


def test_saved_model_predicts_the_same(built, images, tmp_path):
    built.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(logits_of(again, images), logits_of(built, images))


def test_predictions_do_not_depend_on_the_batch(built, images):
    together = logits_of(built, images)
    alone = np.concatenate([logits_of(built, images[i : i + 1]) for i in range(len(images))])
    np.testing.assert_allclose(alone, together, rtol=1e-3, atol=1e-4)


def test_head_and_normalisation_stay_float32(model_file, size, images, mixed_precision):
    model = create(model_file, size, TASKS["binary"], "own")
    assert model.get_layer("normalisation").compute_dtype == "float32"
    head = model.layers[-1].get_layer("logits")
    assert head.compute_dtype == "float32"
    assert {weight.dtype for weight in model.weights if "seed" not in weight.path} == {"float32"}
    output = model(images, training=False)
    assert keras.backend.standardize_dtype(output.dtype) == "float32"
    assert np.isfinite(to_numpy(output)).all()


def test_initial_weights_follow_the_seed(model_file, size):
    def weights(seed):
        keras.utils.set_random_seed(seed)
        model = create(model_file, size, TASKS["binary"], "own")
        return [to_numpy(weight) for weight in model.trainable_variables]

    first, again, other = weights(1), weights(1), weights(2)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    differs = any(not np.array_equal(a, b) for a, b in zip(first, other, strict=True))
    assert differs != model_file.card["deterministic"]


def test_sizes_outside_the_limits_are_refused(model_file):
    least, most = model_file.card["min_size"], model_file.card["max_size"]
    for size in [least - 1] + ([most + 1] if most else []):
        with pytest.raises(NotApplicable, match=f"{model_file.name} takes images .* not {size} px"):
            check_size(model_file, size)
        with pytest.raises(NotApplicable):
            create(model_file, size, TASKS["binary"], "own")
