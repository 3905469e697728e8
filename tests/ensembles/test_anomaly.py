"""The arithmetic of an anomaly screen, against the formulas written out."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import mahalanobis
from sklearn.covariance import LedoitWolf

from benchmark.ensembles.anomaly import (
    FLOOR,
    NormalModel,
    Rule,
    confidences,
    drawn_channels,
    image_scores,
    temperature,
)

N, LOCATIONS, CHANNELS = 40, 3, 5


@pytest.fixture
def features():
    random = np.random.default_rng(0)
    mixed = random.normal(size=(CHANNELS, CHANNELS))
    return random.normal(size=(N, LOCATIONS, CHANNELS)) @ mixed + 3


def test_distances_are_those_of_each_location_s_own_gaussian(features):
    seen, new = features[:30], features[30:]
    found = NormalModel.fitted(seen).distances(np.float32(new))
    floor = FLOOR * seen.var(axis=0).mean() * np.eye(CHANNELS)
    for at in range(LOCATIONS):
        normal = LedoitWolf().fit(seen[:, at])
        inverse = np.linalg.inv(normal.covariance_ + floor)
        wanted = [mahalanobis(each, normal.location_, inverse) for each in new[:, at]]
        np.testing.assert_allclose(found[:, at], wanted, rtol=1e-5)
    np.testing.assert_array_equal(image_scores(found), [max(each) for each in found])


def test_a_shifted_location_stands_out_and_no_other(features):
    model = NormalModel.fitted(features)
    shifted = features.copy()
    shifted[:, 1] += 30
    before, after = model.distances(features), model.distances(shifted)
    assert (after[:, 1] > 3 * before[:, 1]).all()
    np.testing.assert_array_equal(after[:, [0, 2]], before[:, [0, 2]])
    np.testing.assert_array_equal(after.argmax(axis=1), 1)


def test_units_that_never_fire_give_finite_distances(features):
    features[:, 0] = 0
    features[:, :, 2] = 0
    model = NormalModel.fitted(features)
    assert (model.distances(features)[:, 0] == 0).all()
    assert (model.distances(features + 1)[:, 0] > model.distances(features)[:, 0]).all()


def test_channels_are_drawn_by_the_seed():
    assert drawn_channels(7, 0).tolist() == list(range(7))
    first, second = drawn_channels(500, 0), drawn_channels(500, 1)
    assert len(set(first)) == 100
    assert (np.diff(first) > 0).all()
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(first, drawn_channels(500, 0))


def test_the_temperature_undoes_exaggerated_logits():
    random = np.random.default_rng(1)
    true = random.normal(0, 2, 20_000)
    targets = random.random(20_000) < 1 / (1 + np.exp(-true))
    assert temperature(true * 4, targets) == pytest.approx(4, rel=0.1)
    sure = confidences(np.array([-8.0, 0, 8]), 4.0)
    np.testing.assert_allclose(sure, [1 / (1 + np.exp(-2)), 0.5, 1 / (1 + np.exp(-2))])


def test_the_rule_passes_nineteen_of_twenty_normal_images_by_each_half():
    scores, sure = np.arange(20.0), np.arange(20.0)[::-1] / 40 + 0.5
    rule = Rule.frozen(scores, sure)
    found = rule.outcome(scores, sure, np.zeros(20, bool))
    assert found["score"]["specificity"] >= 0.95
    assert found["confidence"]["specificity"] >= 0.95
    assert found["either"]["sensitivity"] is None


def test_an_image_is_flagged_by_either_half():
    rule = Rule(score=1.0, confidence=0.7)
    scores, sure = np.array([2.0, 0.0, 2.0, 0.0]), np.array([0.9, 0.6, 0.9, 0.9])
    found = rule.outcome(scores, sure, np.array([True, True, False, False]))
    assert found["score"] == {"sensitivity": 0.5, "specificity": 0.5}
    assert found["confidence"] == {"sensitivity": 0.5, "specificity": 1.0}
    assert found["either"] == {"sensitivity": 1.0, "specificity": 0.5}
