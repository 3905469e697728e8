"""k-nearest neighbours, held against distances counted one by one and scikit-learn's classifier."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, softmax
from sklearn.neighbors import KNeighborsClassifier

from benchmark.task import Task
from benchmark.training.logistic import Labelled
from benchmark.training.neighbours import LEAST, K, neighbour_logits

BINARY = Task(("sick",), "binary")
MANY = Task(("a", "b", "c"), "multilabel")
ONE_OF = Task(("a", "b", "c"), "multiclass")


def draw(task, n=120, seed=0):
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n, 6)).astype(np.float32)
    scores = features[:, : task.n_outputs] + rng.normal(size=(n, task.n_outputs))
    targets = np.eye(task.n_outputs)[scores.argmax(axis=1)] if task.exclusive else scores > 0
    return Labelled(features, targets.astype(np.float32))


def by_hand(features, targets, query, k=K):
    """Share of the votes for each finding, of one image."""
    distances = np.sqrt(((np.float64(features) - query) ** 2).sum(axis=1))
    nearest = np.argsort(distances)[:k]
    votes = 1 / distances[nearest]
    return (votes[:, None] * targets[nearest]).sum(axis=0) / votes.sum()


def test_eleven_vote_with_the_inverse_of_their_distance():
    train, asked = draw(BINARY), draw(BINARY, 40, seed=1).features
    found = expit(neighbour_logits(train, asked, BINARY))
    expected = [by_hand(*train, query) for query in asked]
    np.testing.assert_allclose(found, np.clip(expected, LEAST, 1 - LEAST), rtol=1e-5)
    theirs = KNeighborsClassifier(11, weights="distance").fit(train[0], train[1][:, 0])
    np.testing.assert_allclose(found[:, 0], theirs.predict_proba(asked)[:, 1], atol=1e-5)


def test_findings_are_voted_on_by_those_that_are_labelled_for_them():
    train, asked = draw(MANY), draw(MANY, 40, seed=1).features
    train.targets[::2, 1] = -1
    train.targets[:, 2] = -1
    found = expit(neighbour_logits(train, asked, MANY))
    for finding in (0, 1):
        known = train.targets[:, finding] >= 0
        few = train.features[known], train.targets[known][:, [finding]]
        expected = np.concatenate([by_hand(*few, query) for query in asked])
        np.testing.assert_allclose(
            found[:, finding], np.clip(expected, LEAST, 1 - LEAST), rtol=1e-5
        )
    np.testing.assert_array_equal(found[:, 2], 0.5)


def test_exclusive_findings_share_the_votes_of_those_that_are_labelled_whole():
    train, asked = draw(ONE_OF), draw(ONE_OF, 40, seed=1).features
    train.targets[::3, 0] = -1
    known = (train.targets >= 0).all(axis=1)
    found = softmax(neighbour_logits(train, asked, ONE_OF), axis=1)
    expected = [by_hand(train.features[known], train.targets[known], query) for query in asked]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_an_image_that_is_among_them_is_called_what_it_is():
    train = draw(BINARY)
    train.features[0] = train.features[1] = 0.0  # nearest to itself by any arithmetic
    train.targets[:2, 0] = 0, 1
    found = expit(neighbour_logits(train, train.features[:1], BINARY))
    assert found[0, 0] == pytest.approx(0.5)  # its copy is as near
    train.targets[1] = 0
    assert expit(neighbour_logits(train, train.features[:1], BINARY))[0, 0] == pytest.approx(LEAST)


@pytest.mark.parametrize("task", [BINARY, MANY, ONE_OF], ids=lambda task: task.kind)
def test_fewer_images_than_neighbours_all_vote(task):
    train = draw(task, 5)
    found = neighbour_logits(train, draw(task, 3, seed=1).features, task)
    assert found.shape == (3, task.n_outputs)
    assert found.dtype == np.float32
    assert np.isfinite(found).all()


def test_nothing_labelled_says_nothing():
    train = draw(ONE_OF)
    train.targets[:] = -1
    found = softmax(neighbour_logits(train, train.features[:4], ONE_OF), axis=1)
    np.testing.assert_allclose(found, 1 / 3)
    assert (train.targets == -1).all()


def test_it_is_deterministic():
    train, asked = draw(MANY), draw(MANY, 40, seed=1).features
    one, other = (neighbour_logits(train, asked, MANY) for _ in range(2))
    np.testing.assert_array_equal(one, other)
