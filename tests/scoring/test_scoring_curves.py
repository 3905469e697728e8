"""Curves and their bands against scikit-learn and against resampling one patient after another."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from sklearn.metrics import precision_recall_curve, roc_curve

from benchmark.scoring import curves
from benchmark.scoring.bootstrap import multiplicities


def sample(seed=0, patients=30, images=3, runs=2):
    rng = np.random.default_rng(seed)
    n = patients * images
    targets = rng.random(n) < 0.4
    scores = (1.2 * targets + rng.normal(size=(runs, n))).round(1)  # rounded: many ties
    return targets, scores, np.repeat([f"p{i:02d}" for i in range(patients)], images)


def brute_force(at_grid, resamples):
    """Percentiles of the runs' mean curve, each resample written out image by image."""
    targets, scores, patients = sample()
    ids = np.unique(patients)
    draws = np.hstack(list(multiplicities(len(ids), resamples, "text", "test")))
    drawn = []
    for counts in draws.T:
        times = counts[np.searchsorted(ids, patients)].astype(int)
        rows = np.repeat(np.arange(len(targets)), times)
        drawn.append(np.mean([at_grid(targets[rows], run[rows]) for run in scores], axis=0))
    return np.percentile(drawn, [2.5, 97.5], axis=0)


def roc_at_grid(targets, scores):
    return np.interp(curves.GRID, *roc_curve(targets, scores, drop_intermediate=False)[:2])


def precision_at_grid(targets, scores):
    precision, recall, _ = precision_recall_curve(targets, scores)
    precision, recall = precision[-2::-1], recall[-2::-1]  # without the end point at recall 0
    return [precision[np.flatnonzero(recall >= r - 1e-12)[0]] for r in curves.GRID]


def test_points_are_those_of_scikit_learn():
    targets, (scores, _), _ = sample()
    expected = roc_curve(targets, scores, drop_intermediate=False)[:2]
    np.testing.assert_allclose(curves.roc_points(targets, scores), expected)
    precision, recall, _ = precision_recall_curve(targets, scores)
    ours = curves.precision_recall_points(targets, scores)
    np.testing.assert_allclose(ours, (recall[-2::-1], precision[-2::-1]))


@pytest.mark.parametrize(
    ("band", "at_grid"),
    [
        (curves.roc_band, roc_at_grid),
        (curves.precision_recall_band, precision_at_grid),
    ],
)
def test_bands_are_those_of_resampling_patient_by_patient(band, at_grid):
    targets, scores, patients = sample()
    got = band(targets, scores, patients, seed_text="text", resamples=40)
    np.testing.assert_allclose(got.mean, np.mean([at_grid(targets, s) for s in scores], axis=0))
    np.testing.assert_allclose((got.low, got.high), brute_force(at_grid, 40))


def test_a_resample_that_lost_a_class_is_left_out():
    targets = np.array([True, False, False])
    scores = np.array([[0.9, 0.1, 0.2]])
    band = curves.roc_band(targets, scores, np.array(["a", "b", "c"]), seed_text="x", resamples=30)
    assert (band.low == 1).all()
    assert (band.high == 1).all()


def test_reliability_pools_the_runs_and_covers_them():
    rng = np.random.default_rng(1)
    probabilities = rng.random((2, 400))
    targets = rng.random(400) < 0.5
    patients = np.repeat(np.arange(200), 2).astype(str)
    got = curves.reliability(targets, probabilities, patients, seed_text="x", resamples=200)
    both, twice = probabilities.ravel(), np.tile(targets, 2)
    edges = np.arange(16) / 15
    for k, (low, high) in enumerate(pairwise(edges)):
        here = (both >= low) & (both < high)
        assert got.confidence[k] == pytest.approx(both[here].mean())
        assert got.frequency[k] == pytest.approx(twice[here].mean())
        assert got.images[k] == here.sum() / 2
        assert got.low[k] < got.frequency[k] < got.high[k]


def test_an_empty_bin_is_left_out_and_a_thin_one_has_no_interval():
    probabilities = np.array([[0.01] * 20 + [0.99] * 3])
    targets = np.array([False] * 19 + [True] * 4)
    patients = np.arange(23).astype(str)
    got = curves.reliability(targets, probabilities, patients, seed_text="x", resamples=50)
    assert got.images.tolist() == [20, 3]
    assert np.isfinite(got.low[0])
    assert np.isnan(got.low[1])
