"""Features of several networks side by side, and the head on top of them."""

from __future__ import annotations

import keras
import numpy as np

from benchmark.ensembles.joined import head, join, penultimate
from benchmark.models import create, discover
from benchmark.task import Task

TASK = Task(("a", "b"), "multilabel")


def test_features_are_what_the_layer_of_the_logits_gets():
    keras.utils.set_random_seed(0)
    model = create(discover()["mlp"], 16, TASK, "imagenet")
    images = np.random.default_rng(0).random((5, 16, 16, 1), np.float32)
    features = penultimate(model).predict(images, verbose=0)
    last = model.layers[-1].get_layer("logits")
    kernel, bias = (np.asarray(weight) for weight in last.weights)
    np.testing.assert_allclose(
        features @ kernel + bias, model.predict(images, verbose=0), rtol=1e-4, atol=1e-5
    )


def test_joined_features_have_the_scale_of_the_training_images():
    random = np.random.default_rng(0)
    members = [
        {split: np.float32(random.normal(5, scale, (40, 3))) for split in ("train", "test")}
        for scale in (0.01, 100)
    ]
    members[1]["train"][:, 2] = members[1]["test"][:, 2] = 7  # a dead unit
    joined = join(members)
    assert joined["test"].shape == (40, 6)
    assert joined["test"].dtype == np.float32
    np.testing.assert_allclose(joined["train"].mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(joined["train"].std(axis=0), [1, 1, 1, 1, 1, 0], atol=1e-5)
    train = members[0]["train"].astype(float)
    mean, deviation = train.mean(axis=0), train.std(axis=0)
    expected = (members[0]["test"] - mean) / deviation
    np.testing.assert_allclose(joined["test"][:, :3], expected, rtol=1e-4, atol=1e-5)


def test_the_head_is_a_logistic_regression_that_begins_undecided():
    model = head(6, TASK)
    assert model.count_params() == 6 * 2 + 2
    assert not model.predict(np.ones((3, 6), np.float32), verbose=0).any()
