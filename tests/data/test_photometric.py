"""Grey values and sharpness: against the formula in float64, resizing by hand, and the limits."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image
from scipy import stats
from scipy.special import expit, logit

from benchmark.data.augment import augmenter, batch_key
from benchmark.data.augmentation import photometric

KEY = batch_key(1, 0, 0)
PLAIN = {"GAMMA": 1.0, "CONTRAST": 1.0, "BRIGHTNESS": 0.0, "NOISE": 0.0, "REDUCED": 1e-9}
"""Limits under which nothing changes."""


def shaded(images, gamma=1.0, contrast=1.0, brightness=0.0, noise=0.0) -> np.ndarray:
    images = np.asarray(images, np.float32)
    amounts = [tf.fill((len(images),), np.float32(a)) for a in (gamma, contrast, brightness, noise)]
    return photometric.shade(tf.constant(images), *amounts, KEY).numpy()


def greys(side: int = 16) -> np.ndarray:
    """Every grey value there is, float32 (1, side, side, 1)."""
    return np.linspace(0, 1, side * side, dtype=np.float32).reshape(1, side, side, 1)


@settings(max_examples=50, deadline=None)
@given(st.floats(0.5, 2), st.floats(0.5, 2), st.floats(-0.3, 0.3))
def test_the_curve_is_a_power_and_a_sigmoid_through_middle_grey(gamma, contrast, brightness):
    grey = greys().astype(float)
    with np.errstate(divide="ignore"):
        expected = expit(contrast * logit(grey**gamma) + 4 * brightness)
    shown = shaded(greys(), gamma, contrast, brightness)
    np.testing.assert_allclose(shown, expected, atol=2e-5)
    assert (np.diff(shown.ravel()) >= 0).all(), "the order of grey values changed"
    assert (shown.ravel()[0], shown.ravel()[-1]) == (0, 1)


def test_no_amount_changes_nothing(monkeypatch):
    np.testing.assert_allclose(shaded(greys()), greys(), atol=1e-6)
    for name, value in PLAIN.items():
        monkeypatch.setattr(photometric, name, value)
    images = np.random.default_rng(0).random((50, 20, 20, 1), np.float32)
    np.testing.assert_allclose(drawn(images), images, atol=1e-6)


def test_amounts_are_those_of_a_linear_window_at_middle_grey():
    middle = np.reshape([0.499, 0.5, 0.501], (1, 1, 3, 1))
    brighter = shaded(middle, brightness=0.02)
    np.testing.assert_allclose(brighter - middle, 0.02, rtol=0.01)
    steeper = shaded(middle, contrast=1.5)[0, 0, :, 0]
    assert (steeper[2] - steeper[0]) / 0.002 == pytest.approx(1.5, rel=1e-3)


def test_noise_is_normal_of_its_amount_and_another_in_every_image():
    grey = np.full((8, 64, 64, 1), 0.5)
    shown = shaded(grey, noise=0.02) - grey
    for one in shown:
        assert stats.kstest(one.ravel() / 0.02, "norm").statistic < 0.03
    assert np.abs(np.corrcoef(shown.reshape(8, -1)) - np.eye(8)).max() < 0.1
    ends = shaded(np.concatenate([np.zeros_like(grey), np.ones_like(grey)]), noise=0.02)
    assert set(np.unique(ends)) == {0, 1}


# A lower resolution and back


def reduced(images: np.ndarray, number: int) -> np.ndarray:
    numbers = tf.fill((len(images),), number)
    return photometric.reduce(tf.constant(images), numbers).numpy()


def areas(side: int, less: int) -> np.ndarray:
    """(less, side): the share that each pixel of a row has in each of fewer ones."""
    edges = np.arange(less + 1) * side / less
    low, high = (
        np.maximum.outer(edges[:-1], np.arange(side)),
        np.minimum.outer(edges[1:], np.arange(1, side + 1)),
    )
    return np.clip(high - low, 0, None) * less / side


@pytest.mark.parametrize("side", [64, 65, 9])
@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_reducing_averages_areas_and_interpolates_back(side, number):
    images = np.random.default_rng(0).random((2, side, side, 1), np.float32)
    less = round(side * photometric.RESOLUTIONS[number])
    shrink = areas(side, less)
    for shown, image in zip(reduced(images, number), images, strict=True):
        small = Image.fromarray((shrink @ image[..., 0] @ shrink.T).astype(np.float32))
        expected = np.asarray(small.resize((side, side), Image.Resampling.BILINEAR))
        np.testing.assert_allclose(shown[..., 0], expected, atol=2e-5)


def test_each_image_is_reduced_by_itself():
    images = np.random.default_rng(0).random((5, 32, 32, 1), np.float32)
    order = [3, 0, 4, 2, 1]
    mixed = photometric.reduce(tf.constant(images), tf.constant(order)).numpy()
    np.testing.assert_array_equal(mixed[1], images[1])
    for one, image, number in zip(mixed, images, order, strict=True):
        np.testing.assert_array_equal(one, reduced(image[None], number)[0])


# What is drawn


def drawn(images: np.ndarray) -> np.ndarray:
    return photometric.augment(tf.constant(images), None, KEY)[0].numpy()


@pytest.mark.parametrize(
    ("name", "measure"),
    [
        ("GAMMA", lambda x: np.log(np.log(x) / np.log(0.3))),
        ("CONTRAST", lambda x: np.log(logit(x) / logit(0.3))),
        ("BRIGHTNESS", lambda x: (logit(x) - logit(0.3)) / 4),
    ],
)
def test_curves_are_drawn_evenly_within_their_limits(monkeypatch, name, measure):
    limit = getattr(photometric, name)
    for other in PLAIN.keys() - {name}:
        monkeypatch.setattr(photometric, other, PLAIN[other])
    amounts = measure(drawn(np.full((2000, 2, 2, 1), 0.3, np.float32))[:, 0, 0, 0].astype(float))
    amounts /= limit if name == "BRIGHTNESS" else np.log(limit)
    assert np.abs(amounts).max() < 1.001
    assert stats.kstest(amounts, stats.uniform(-1, 2).cdf).pvalue > 1e-3


def test_noise_is_drawn_evenly_up_to_its_limit(monkeypatch):
    for other in PLAIN.keys() - {"NOISE"}:
        monkeypatch.setattr(photometric, other, PLAIN[other])
    amounts = drawn(np.full((600, 32, 32, 1), 0.5, np.float32)).std((1, 2, 3)) / photometric.NOISE
    assert amounts.max() < 1.1
    assert stats.kstest(amounts, stats.uniform.cdf).statistic < 0.07


def test_a_third_of_the_images_is_reduced_to_each_resolution_as_often(monkeypatch):
    for other in PLAIN.keys() - {"REDUCED"}:
        monkeypatch.setattr(photometric, other, PLAIN[other])
    images = np.repeat(np.random.default_rng(0).random((1, 16, 16, 1), np.float32), 2000, 0)
    shown = drawn(images)
    kinds = [reduced(images[:1], number)[0] for number in range(5)]
    shares = [(np.abs(shown - kind).max((1, 2, 3)) < 1e-5).mean() for kind in kinds]
    np.testing.assert_allclose(shares, [8 / 12, 1 / 12, 1 / 12, 1 / 12, 1 / 12], atol=0.03)


wild = arrays(
    np.float32,
    st.tuples(st.integers(1, 5), st.shared(st.integers(1, 20), key="side")).map(
        lambda shape: (shape[0], shape[1], shape[1], 1)
    ),
    elements=st.floats(0, 1, width=32, allow_subnormal=True) | st.sampled_from([0.0, 1.0]),
)


@settings(max_examples=60, deadline=None)
@given(wild, st.integers(0, 2**62), st.sampled_from(["geometric", "photometric", "strong"]))
def test_any_image_stays_finite_and_within_black_and_white(images, seed, name):
    shown = augmenter(name)(tf.constant(images), batch_key(seed, 0, 0)).numpy()
    assert shown.shape == images.shape
    assert shown.dtype == np.float32
    assert np.isfinite(shown).all()
    assert ((shown >= 0) & (shown <= 1)).all()
